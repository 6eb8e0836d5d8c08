import { memo, useState } from 'react';

/** So many characters are shown before somebody asks for all of them. */
const SHOWN = 20_000;

/** Text as it is written. */
export const PlainText = memo(function PlainText({ text }: { text: string }): React.ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && text.length > SHOWN;
  return (
    <>
      <div className="md-plain">{isCut ? text.slice(0, SHOWN) : text}</div>
      {isCut && (
        <button type="button" className="quiet small" onClick={() => setIsWhole(true)}>
          Show all ({Math.ceil(text.length / 1000).toLocaleString('en')} KB)
        </button>
      )}
    </>
  );
});
