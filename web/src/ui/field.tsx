import { type ReactNode, useId } from 'react';

/** A labelled input. `children` gets what ties it to its label and hint: spread it over the input. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (attributes: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }) => ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-hint`, 'aria-invalid': error !== undefined })}
      <div id={`${id}-hint`} className="small muted">
        {error !== undefined ? <span className="bad">{error}</span> : hint}
      </div>
    </div>
  );
}
