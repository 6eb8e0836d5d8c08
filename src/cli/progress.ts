import type { Terminal } from './terminal.ts';

/** How far it is. */
export interface Count {
  done: number;
  total: number;
  /** `rows` */
  unit: string;
}

/** Says how far something long is, on standard error. */
export interface ProgressLine {
  /** @param step what is done, and `name` with what: `copy`, `messages`. */
  show(step: string, name: string, count: Count): void;
  /** Wipes the line away; to be called at the end, however it comes. */
  end(): void;
}

const BAR = 24;
const BETWEEN_MS = 100;
/** Without a word from the terminal. */
const COLUMNS = 80;
/** Before that a rate says nothing. */
const FIRST_RATE_MS = 300;

/**
 * A line that is written anew with bar, counts, rate and time left, if there is somebody to see it. Else a line for each
 * thing, when the first step with it is done.
 * @param now in milliseconds.
 */
export function openProgress({ error }: Pick<Terminal, 'error'>, now = () => performance.now()): ProgressLine {
  return error.isTTY ? barOn(error, now) : linesOn(error);
}

function barOn(error: Terminal['error'], now: () => number): ProgressLine {
  let current = '';
  let since = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show: (step, name, progress) => {
      const at = now();
      const what = `${step} ${name}`;
      if (what !== current) {
        current = what;
        since = at;
      } else if (at - shownAt < BETWEEN_MS && progress.done < progress.total) return;
      shownAt = at;
      isShown = true;
      const line = barText(what, progress, at - since);
      error.write(`\r${line.slice(0, (error.columns ?? COLUMNS) - 1)}\u001b[K`);
    },
    end: () => {
      if (isShown) error.write('\r\u001b[K');
      isShown = false;
    },
  };
}

function linesOn(error: Terminal['error']): ProgressLine {
  const said = new Set<string>();
  return {
    show: (_, name, { done, total, unit }) => {
      if (done < total || said.has(name)) return;
      said.add(name);
      error.write(`${name}: ${count(total)} ${unit}\n`);
    },
    end: () => {},
  };
}

function barText(what: string, { done, total, unit }: Count, ms: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(part * BAR);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
  const counts = `${count(done)} of ${count(total)} ${unit}`;
  if (ms < FIRST_RATE_MS || done === 0) return `${bar} ${what}, ${counts}`;
  const rate = (done * 1000) / ms;
  const left = done < total ? `, ${duration((total - done) / rate)} left` : '';
  return `${bar} ${what}, ${counts}, ${count(Math.round(rate))}/s${left}`;
}

/** A number as people read it. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
