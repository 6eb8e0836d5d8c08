import type { Run } from '../../../src/client/types.ts';

/** The states of a run, in the order in which they are offered. */
export const RUN_STATUSES = ['queued', 'running', 'waiting_approval', 'completed', 'failed', 'cancelled'] as const;

const STATUS_WORDS: Record<Run['status'], { text: string; tone: string }> = {
  queued: { text: 'About to begin', tone: '' },
  running: { text: 'Running', tone: '' },
  waiting_approval: { text: 'Waits for an answer', tone: 'warn' },
  completed: { text: 'Done', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
  cancelled: { text: 'Cancelled', tone: '' },
};

/** A state in words, with the class of its colour. */
export function wordsOf(status: Run['status']): { text: string; tone: string } {
  return STATUS_WORDS[status];
}

/** May something still come of it? */
export function isActive({ status }: Pick<Run, 'status'>): boolean {
  return status === 'queued' || status === 'running' || status === 'waiting_approval';
}

const STOP_REASONS: Record<NonNullable<Run['stopReason']>, string> = {
  completed: 'The work is done.',
  max_steps: 'It has had all its steps. Say in the conversation that it should go on.',
  budget: 'The next step would not have fitted into its budget of tokens.',
  no_progress: 'It went round in circles: the same call three times, or three failed calls in a row.',
};

/** Why a run that did not fail has ended, in a sentence. */
export function stopWords(reason: NonNullable<Run['stopReason']>): string {
  return STOP_REASONS[reason];
}

const ERRORS: Record<string, string> = {
  CANCELLED: 'Somebody has cancelled it.',
  TIMEOUT: 'It has run for as long as a run may.',
  BUDGET_EXCEEDED: 'The budget of the account or the key is used up.',
  TOOL_ERROR: 'The server died in the middle of a call, and nobody knows whether that was carried out.',
  INTERRUPTED: 'The server has died in the middle of the same step too often.',
};

/** Why a run that failed has ended, in a sentence; what the server says, if there is none. */
export function errorWords({ code, message }: { code: string; message: string }): string {
  return ERRORS[code] ?? message;
}

/** A duration in milliseconds, as people say it: `340 ms`, `2.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationWords(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** US dollars; undefined for none or an unknown cost. */
export function costWords(cost: number | null): string | undefined {
  if (cost === null) return undefined;
  return `$${cost >= 1 ? cost.toFixed(2) : cost.toPrecision(2)}`;
}

/** A number with separators. */
export function count(number: number): string {
  return number.toLocaleString('en');
}

/** A point in time for this reader: `14:05` today, else with the day. */
export function timeWords(iso: string): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date().toDateString();
  const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  return time.toLocaleString('en', { hour: '2-digit', minute: '2-digit', hour12: false, ...(isToday ? {} : day) });
}
