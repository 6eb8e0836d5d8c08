import { Fragment, memo, useEffect, useMemo, useState } from 'react';
import { Code } from './code.tsx';
import type { DiffLine, Hunk } from './line-diff.ts';
import { visibleText } from './visible-text.ts';
import './diff.css';

/** Texts with more lines are not compared: that could take long. */
const MOST_LINES = 10_000;
const MOST_CHARACTERS = 1_000_000;
/** So many lines of a comparison are shown before somebody asks for all. */
const SHOWN = 200;
const LONGEST_LINE = 2000;

/** What changes between two texts, by lines, with their surroundings. */
export const Diff = memo(function Diff({
  before,
  after,
  name = '',
}: {
  before: string;
  after: string;
  name?: string;
}): React.ReactNode {
  const hunks = useHunks(before, after);
  const language = /\.(\w{1,20})$/.exec(name)?.[1] ?? '';
  if (hunks === 'comparing') return <p className="muted small">Comparing …</p>;
  if (hunks === 'too large')
    return (
      <>
        <p className="muted small">Too large to be compared. This is the text afterwards:</p>
        <Code text={after} language={language} />
      </>
    );
  if (hunks.length === 0) return <p className="muted small">Nothing changes.</p>;
  return <Hunks hunks={hunks} name={name} />;
});

type Outcome = readonly Hunk[] | 'comparing' | 'too large';

function useHunks(before: string, after: string): Outcome {
  const isTooLarge = useMemo(() => isLarge(before) || isLarge(after), [before, after]);
  const [outcome, setOutcome] = useState<Outcome>('comparing');
  useEffect(() => {
    let isStale = false;
    const compare = async (): Promise<void> => {
      const { diffLines } = await import('./line-diff.ts');
      if (!isStale) setOutcome(diffLines(visibleText(before), visibleText(after)) ?? 'too large');
    };
    if (!isTooLarge) compare().catch(() => setOutcome('too large'));
    return () => {
      isStale = true;
    };
  }, [before, after, isTooLarge]);
  return isTooLarge ? 'too large' : outcome;
}

function Hunks({ hunks, name }: { hunks: readonly Hunk[]; name: string }): React.ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const total = hunks.reduce((sum, { lines }) => sum + lines.length, 0);
  const shown = isWhole ? hunks : firstLines(hunks, SHOWN);
  return (
    // biome-ignore lint/a11y/useSemanticElements: not something to fill in
    <div className="diff" role="group" aria-label={name === '' ? 'Changes' : `Changes of ${name}`}>
      {shown.map(({ line, lines }) => (
        <Fragment key={line}>
          {(line > 1 || shown.length > 1) && <div className="diff-place">Line {line}</div>}
          {lines.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines never change places
            <Line key={index} line={one} />
          ))}
        </Fragment>
      ))}
      {!isWhole && total > SHOWN && (
        <button type="button" className="quiet small diff-all" onClick={() => setIsWhole(true)}>
          Show all {total.toLocaleString('en')} lines
        </button>
      )}
    </div>
  );
}

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;
const WORDS = { same: '', added: 'Added: ', removed: 'Removed: ' } as const;

function Line({ line: { kind, pieces } }: { line: DiffLine }): React.ReactNode {
  return (
    <div className={`diff-line diff-${kind}`}>
      <span className="diff-sign" aria-hidden="true">
        {SIGNS[kind]}
      </span>
      {kind !== 'same' && <span className="visually-hidden">{WORDS[kind]}</span>}
      <span className="diff-text">
        {pieces.map(({ text, isChanged }, index) => {
          const shown = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)} …` : text;
          // biome-ignore lint/suspicious/noArrayIndexKey: nor do pieces
          return isChanged ? <mark key={index}>{shown}</mark> : <Fragment key={index}>{shown}</Fragment>;
        })}
      </span>
    </div>
  );
}

function firstLines(hunks: readonly Hunk[], most: number): Hunk[] {
  const out: Hunk[] = [];
  let left = most;
  for (const { line, lines } of hunks) {
    if (left <= 0) break;
    out.push({ line, lines: lines.slice(0, left) });
    left -= lines.length;
  }
  return out;
}

function isLarge(text: string): boolean {
  if (text.length > MOST_CHARACTERS) return true;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines > MOST_LINES;
}
