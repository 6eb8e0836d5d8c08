import { Markdown } from '../markdown/markdown.tsx';
import type { WorkSummary } from './summary-of.ts';

/** What was done, what was made and what could be next. */
export function WorkSummaryView({
  summary: { summary, artifacts, nextSteps },
}: {
  summary: WorkSummary;
}): React.ReactNode {
  return (
    <div className="step-text">
      <Markdown text={summary} />
      <Listed title="Made" texts={artifacts} />
      <Listed title="Could be next" texts={nextSteps} />
    </div>
  );
}

function Listed({ title, texts }: { title: string; texts: readonly string[] }): React.ReactNode {
  if (texts.length === 0) return null;
  return (
    <>
      <p className="call-label">{title}</p>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}
