import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, type Running } from './processes.ts';
import { type DatabaseKind, newPlace, PROVIDER, startNode } from './run-place.ts';

/** What `run-watchers.ts` is told to do. */
export interface WaveOrder {
  url: string;
  model: string;
  runs: number;
  /** Of each run. */
  deltas: number;
}

/** What it answers. Milliseconds; the delays are those from the upstream's write of a delta to its watcher. */
export interface WaveAnswer {
  /** Until every run had its first event. */
  startedIn: number;
  p50: number;
  p99: number;
  longest: number;
  /** Deltas that came. */
  count: number;
  problems: string[];
}

/** A wave of runs, and what it took of the server. */
export interface Wave extends WaveAnswer {
  /** Processor time of the server in parts of one core, while the runs streamed and started. */
  cores: number;
  /** Resident memory at its highest, MB, and when all was over for a while. */
  peakMb: number;
  afterMb: number;
}

/** What was measured on one kind of database. */
export interface WaveResults {
  runs: number;
  seconds: number;
  /** Resident memory before the first one, MB. */
  beforeMb: number;
  waves: Wave[];
}

const PER_SECOND = 20;
const WAVES = 2;
const LOOK_MS = 200;

/**
 * Twice: starts runs, has them all stream at once, and rests.
 * @param restMs after each wave, and after the start.
 */
export async function timeWaves(
  kind: DatabaseKind,
  { upstream, watchers }: { upstream: Running; watchers: Running },
  { runs, seconds, restMs }: { runs: number; seconds: number; restMs: number },
): Promise<WaveResults> {
  const place = await newPlace(kind);
  const server = await startNode(place, upstream.url);
  await sleep(restMs);
  const beforeMb = residentMb(server.pid);
  const waves: Wave[] = [];
  for (let n = 0; n < WAVES; n++) {
    const deltas = PER_SECOND * seconds;
    const model = `${PROVIDER}/wave-${kind.name}${n}-${runs}-${deltas}`;
    const busy = cpuMs(server.pid);
    const began = performance.now();
    const { answer, peakMb } = await peakWhile(server.pid, order(watchers, { url: server.url, model, runs, deltas }));
    const cores = (cpuMs(server.pid) - busy) / (performance.now() - began);
    await sleep(restMs);
    waves.push({ ...answer, cores, peakMb, afterMb: residentMb(server.pid) });
  }
  await server.stop();
  rmSync(place.home, { recursive: true, force: true });
  return { runs, seconds, beforeMb, waves };
}

async function order(watchers: Running, wave: WaveOrder): Promise<WaveAnswer> {
  const answer = await fetch(watchers.url, { method: 'POST', body: JSON.stringify(wave) });
  if (answer.status !== 200) throw new Error(`the load gave up: ${await answer.text()}`);
  return (await answer.json()) as WaveAnswer;
}

async function peakWhile(pid: number, wave: Promise<WaveAnswer>): Promise<{ answer: WaveAnswer; peakMb: number }> {
  let peakMb = 0;
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb(pid));
  }, LOOK_MS);
  try {
    return { answer: await wave, peakMb };
  } finally {
    clearInterval(timer);
  }
}

/** The resident memory of a process, MB. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
