import type { Run, RunWithCalls } from '../client/types.ts';
import { readableText } from '../core/readable-text.ts';
import { callLine, durationText } from './chat-call-line.ts';
import { costText } from './chat-print.ts';
import { plainJson } from './plain-json.ts';
import { onOneLine, styleOf } from './style.ts';
import { toMinute, writeTable } from './table.ts';
import { type Terminal, writeLine } from './terminal.ts';

const STATUS_WORDS = {
  queued: 'queued',
  running: 'running',
  waiting_approval: 'waits for an answer',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
} as const;

/** Writes runs, one a line. */
export function writeRuns(terminal: Terminal, runs: readonly Run[], isJson?: boolean): void {
  if (isJson) {
    writeLine(terminal, plainJson({ runs }));
    return;
  }
  const columns = [
    { heading: 'RUN', of: ({ id }: Run) => id },
    { heading: 'STATUS', of: ({ status }: Run) => STATUS_WORDS[status] },
    { heading: 'BEGUN (UTC)', of: ({ createdAt }: Run) => toMinute(createdAt) },
    { heading: 'STEPS', of: ({ steps, maxSteps }: Run) => `${steps} of ${maxSteps}` },
    { heading: 'TOKENS', of: ({ usage }: Run) => usage.totalTokens.toLocaleString('en') },
    { heading: 'COST', of: ({ usage }: Run) => (usage.cost === null ? null : costText(usage.cost)) },
    { heading: 'MODEL', of: ({ model }: Run) => model },
    { heading: 'CONVERSATION', of: ({ conversationId }: Run) => conversationId },
  ];
  writeTable(terminal, columns, runs, 'There are no runs.');
}

/** Writes how a run went. */
export function writeRun(terminal: Terminal, run: RunWithCalls, isJson?: boolean): void {
  if (isJson) {
    writeLine(terminal, plainJson({ run }));
    return;
  }
  const { usage, error, stopReason } = run;
  const style = styleOf(terminal.output);
  const cost = usage.cost === null ? '' : ` · ${costText(usage.cost)}`;
  const facts: [string, string][] = [
    ['Run', run.id],
    ['Conversation', run.conversationId],
    ['Status', STATUS_WORDS[run.status] + (stopReason && stopReason !== 'completed' ? ` (${stopReason})` : '')],
    ...(error ? [['Why', `${error.message} (${error.code})`] as [string, string]] : []),
    ['Model', [run.provider, run.model].filter(Boolean).join('/') || '-'],
    ['Mode', run.securityMode],
    ['Steps', `${run.steps} of ${run.maxSteps}, taken up ${run.attempts === 1 ? 'once' : `${run.attempts} times`}`],
    ['Usage', `${usage.totalTokens.toLocaleString('en')} tokens${cost}`],
    ['Begun', run.createdAt],
    ...(run.finishedAt ? [['Ended', endOf(run.createdAt, run.finishedAt)] as [string, string]] : []),
  ];
  for (const [name, value] of facts) writeLine(terminal, `${style.dim(name.padEnd(13))} ${onOneLine(value)}`);
  for (const { status, result, resultId, duration, ...call } of run.toolCalls) {
    const shown = { ...call, type: 'call' as const, progress: '', resultId };
    const item = { ...shown, result: result ?? undefined, duration: duration ?? undefined };
    const became = status === 'pending' ? ('running' as const) : status;
    writeLine(terminal, callLine({ ...item, status: became }, style, terminal.output.columns ?? 120));
  }
  for (const { id, status, display } of run.approvals) {
    if (status !== 'pending') continue;
    writeLine(terminal, style.warn(`\nWaits for an answer:`));
    writeLine(terminal, readableText(display));
    writeLine(terminal, `  profclaw runs approve ${id}\n  profclaw runs deny ${id}`);
  }
}

function endOf(begun: string, ended: string): string {
  return `${ended}, after ${durationText(Date.parse(ended) - Date.parse(begun))}`;
}
