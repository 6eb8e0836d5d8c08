import { memo, useMemo, useState } from 'react';
import { NOTHING_READ, type Segment, type Span } from './segments.ts';
import { useReading } from './use-reading.ts';
import { visibleText } from './visible-text.ts';
import './code.css';

/** As in code.css. */
const LINE_HEIGHT = 1.5;

/** How much of a code is shown. */
export interface CodeLimits {
  /** Before somebody asks for all of it. */
  lines: number;
  characters: number;
  /** Beyond how many characters it has no colours. */
  colours: number;
}

/** The text of a code, in colours where they are known; what is very long is cut until somebody asks for all of it. */
export function CodeText({
  text,
  language,
  isOpen = false,
  limits,
}: {
  text: string;
  language: string;
  isOpen?: boolean;
  limits: CodeLimits;
}): React.ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const visible = useMemo(() => visibleText(text), [text]);
  const cut = isWhole ? visible.length : cutAt(visible, limits);
  const shown = visible.slice(0, cut);
  const reading = useReading(shown, language.toLowerCase(), isOpen && cut === visible.length, limits.colours);
  const { done, open } = shown === '' ? NOTHING_READ : reading;
  const rest = shown.slice(open?.end ?? done.at(-1)?.end ?? 0);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      {/* biome-ignore lint/a11y/useSemanticElements: not something to fill in */}
      <pre className="code-text" tabIndex={0} role="group" aria-label={language === '' ? 'Code' : `Code, ${language}`}>
        <code>
          {done.map((segment) => (
            <Part key={segment.start} segment={segment} />
          ))}
          {open && <Part key={open.start} segment={open} />}
          {rest !== '' && <span className="code-part">{rest}</span>}
        </code>
      </pre>
      {cut < visible.length && (
        <button type="button" className="quiet small code-all" onClick={() => setIsWhole(true)}>
          Show all ({sizeOf(visible)})
        </button>
      )}
    </>
  );
}

/** Lines that are laid out and painted by themselves, so that what follows them can grow without them. */
const Part = memo(function Part({ segment }: { segment: Segment }): React.ReactNode {
  return (
    <span className="code-part code-read" style={sizeOfPart(segment)}>
      {segment.spans.map(shownSpan)}
    </span>
  );
});

/** While nobody sees it, it takes the place that it is going to need. */
function sizeOfPart({ spans }: Segment): React.CSSProperties {
  const text = spans.map((span) => span.text).join('');
  const lines = text.replace(/\n$/, '').split('\n');
  const width = Math.max(...lines.map(({ length }) => length));
  return { containIntrinsicSize: `auto ${width}ch auto ${lines.length * LINE_HEIGHT}em` };
}

function shownSpan({ text, kind }: Span, index: number): React.ReactNode {
  return kind === undefined || kind === '' ? (
    text
  ) : (
    <span key={index} className={`code-${kind}`}>
      {text}
    </span>
  );
}

function cutAt(text: string, { lines, characters }: CodeLimits): number {
  let at = 0;
  for (let line = 0; line < lines; line++) {
    const end = text.indexOf('\n', at);
    if (end < 0) return Math.min(text.length, characters);
    if (end > characters) return characters;
    at = end + 1;
  }
  return at;
}

function sizeOf(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n').length;
  if (lines > 1) return `${lines.toLocaleString('en')} lines`;
  return `${Math.ceil(text.length / 1000).toLocaleString('en')} KB`;
}
