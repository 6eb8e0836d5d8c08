import { setTimeout as sleep } from 'node:timers/promises';
import { threadTimes } from './processes.ts';
import { median } from './report.ts';

/** Something that is done again and again to be timed. */
export interface Subject {
  name: string;
  /** The process whose processor time counts. */
  pid: number;
  run(): Promise<void>;
  /** Done after each `run`, untimed. */
  undo?(): Promise<void>;
}

/** Medians of the runs, milliseconds. */
export interface Timing {
  /** Until the answer was there, without the time in which the process was ready but another had the processor. */
  took: number;
  /** Processor time of the process's first thread. */
  cpu: number;
}

/** What follows an answer (the log, say) is done by then. */
const REST_MS = 2;

/** Runs the subjects one after the other, each round in another order, so that the machine's moods are shared. */
export async function takeTurns(
  subjects: readonly Subject[],
  rounds: number,
  warmUp: number,
): Promise<Map<string, Timing>> {
  const runs = subjects.map((subject) => ({ subject, took: [] as number[], cpu: [] as number[] }));
  for (let round = -warmUp; round < rounds; round++) {
    const first = (round + warmUp) % runs.length;
    const order = [...runs.slice(first), ...runs.slice(0, first)];
    for (const run of round % 2 === 0 ? order : order.toReversed()) {
      const { took, cpu } = await timed(run.subject);
      if (round < 0) continue;
      run.took.push(took);
      run.cpu.push(cpu);
    }
  }
  return new Map(runs.map(({ subject, took, cpu }) => [subject.name, { took: median(took), cpu: median(cpu) }]));
}

async function timed({ pid, run, undo }: Subject): Promise<Timing> {
  const before = threadTimes(pid);
  const began = performance.now();
  await run();
  const took = performance.now() - began - (threadTimes(pid).waited - before.waited);
  await sleep(REST_MS);
  const cpu = threadTimes(pid).cpu - before.cpu;
  if (undo) {
    await undo();
    await sleep(REST_MS);
  }
  return { took, cpu };
}
