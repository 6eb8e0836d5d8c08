import { useState } from 'react';
import { ask } from '../api/server.ts';
import { Code } from '../markdown/code.tsx';
import { Problem } from '../ui/problem.tsx';

/** Of a long result so much is shown at first, in characters and lines. */
const MOST_CHARS = 3000;
const MOST_LINES = 30;

interface Piece {
  text: string;
  nextOffset: number | null;
}

/** What a call gave back; long ones folded, and the rest of one that was too long to be sent loaded on demand. */
export function CallResult({ text, resultId }: { text: string; resultId: string | undefined }): React.ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const [loaded, setLoaded] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [isLoading, setIsLoading] = useState(false);
  const all = loaded ?? text;
  const part = isWhole ? all : beginningOf(all);
  const load = async (): Promise<void> => {
    if (resultId === undefined) return;
    setError(undefined);
    setIsLoading(true);
    try {
      setLoaded(await wholeResult(resultId));
      setIsWhole(true);
    } catch (problem) {
      setError(problem);
    } finally {
      setIsLoading(false);
    }
  };
  return (
    <div className="call-part">
      <p className="call-label">Result</p>
      {all === '' ? <p className="small muted">It is empty.</p> : <Code text={part} />}
      <div className="row">
        {part.length < all.length && (
          <button type="button" className="quiet small" onClick={() => setIsWhole(true)}>
            Show all
          </button>
        )}
        {resultId !== undefined && loaded === undefined && (
          <button type="button" className="quiet small" disabled={isLoading} onClick={() => void load()}>
            {isLoading ? 'Loading…' : 'Load the whole result'}
          </button>
        )}
      </div>
      <Problem error={error} />
    </div>
  );
}

async function wholeResult(id: string): Promise<string> {
  let text = '';
  for (let offset: number | null = 0; offset !== null; ) {
    const piece: Piece = await ask<Piece>(`/api/chat/tools/results/${id}`, { query: { offset } });
    text += piece.text;
    offset = piece.nextOffset;
  }
  return text;
}

function beginningOf(text: string): string {
  const lines = text.slice(0, MOST_CHARS).split('\n');
  return lines.slice(0, MOST_LINES).join('\n');
}
