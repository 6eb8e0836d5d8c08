import type { ReactNode } from 'react';
import type { CustomItemComponentProps } from 'virtua';

/** What a virtual list puts around each of its items. */
export function ListItem({ style, children, ref }: CustomItemComponentProps): ReactNode {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a virtual list places its items by itself, in elements of its own
    <div role="listitem" ref={ref} style={style}>
      {children}
    </div>
  );
}
