import { memo } from 'react';
import { durationWords } from './run-words.ts';
import { axisOf } from './time-axis.ts';
import type { Span } from './timeline.ts';

const KINDS = { model: 'Model', call: 'Tool', wait: 'Wait' } as const;

/**
 * What a run has spent its time on: a table, with a bar in each row that shows the same as its numbers.
 * @param startedAt of the run, in milliseconds since 1970.
 * @param now the same; until when what goes on has gone on.
 */
export const TimelineTable = memo(function TimelineTable({
  spans,
  startedAt,
  now,
}: {
  spans: readonly Span[];
  startedAt: number;
  now: number;
}): React.ReactNode {
  const axis = axisOf(spans, now);
  return (
    <div className="stack">
      <table className="runs-timeline">
        <caption className="visually-hidden">What the run has spent its time on</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" className="runs-began">
              Began after
            </th>
            <th scope="col">Took</th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {spans.map((span, index) => (
            <SpanRow
              key={span.id}
              span={span}
              isFirstOfStep={spans[index - 1]?.step !== span.step}
              startedAt={startedAt}
              now={now}
              place={axis.place}
            />
          ))}
        </tbody>
      </table>
      {axis.isShortened && (
        <p className="small muted">Where nothing was worked on, as while a person is asked, the bars are shortened.</p>
      )}
    </div>
  );
});

function SpanRow({
  span,
  isFirstOfStep,
  startedAt,
  now,
  place,
}: {
  span: Span;
  isFirstOfStep: boolean;
  startedAt: number;
  now: number;
  place: (time: number) => number;
}): React.ReactNode {
  const { kind, step, label, from, to, outcome, tone } = span;
  const end = to ?? Math.max(now, from);
  const left = place(from);
  const width = place(end) - left;
  return (
    <tr className={isFirstOfStep ? 'runs-first-of-step' : undefined}>
      <th scope="row">
        <span className="runs-span">
          <span className="badge">Step {step}</span> {kind === 'call' ? <code>{label}</code> : label}
          <span className="visually-hidden"> ({KINDS[kind]})</span>
        </span>
        <span className="runs-track" aria-hidden="true">
          <span
            className={`runs-bar runs-bar-${kind} ${tone === 'bad' ? 'runs-bar-bad' : ''}`}
            style={{ insetInlineStart: `${left * 100}%`, width: `${width * 100}%` }}
          />
        </span>
      </th>
      <td className="runs-began">{durationWords(from - startedAt)}</td>
      <td>{durationWords(end - from)}</td>
      <td className={tone ?? 'muted'}>{outcome ?? 'goes on'}</td>
    </tr>
  );
}
