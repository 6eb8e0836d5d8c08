import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Round } from './load.ts';
import { median } from './report.ts';

/**
 * What is compared: our own API, another client's wire on the same server, somebody else's gateway, and a pipe that reads
 * nothing of what it passes on (`pipe.ts`), for what the platform takes by itself.
 */
export const NAMES = ['native', 'wire', 'gateway', 'pipe'] as const;
export type Name = (typeof NAMES)[number];

/** Rounds that stand beside each other have the same index. */
export type Rounds = Record<Name, Round[]>;

/** What was measured of one kind of answer, and how many processors load and vendor took meanwhile. */
export interface Comparison {
  rounds: Rounds;
  cores: Record<'load' | 'vendor', number>;
}

/** What one set of processes did. */
export type Run = Record<'whole' | 'streams', Comparison>;

/** How it was measured. */
export interface Method {
  gateway: string;
  rounds: number;
  seconds: number;
  workers: Record<'whole' | 'streams', number>;
  /** Linux's load average of the minute before. */
  load: number;
}

/** Both count: by the one alone, a machine that does other things too favours whoever needs less of it. */
const MEASURES = ['perSecond', 'cpuMs'] as const;
type Measure = (typeof MEASURES)[number];

/** What `/v1/chat/completions` gives of our own `completions`, and how often it gives the gateway's. */
const TARGETS = { native: 0.9, gateway: 6 };

/** Writes CLIENTS.md. False if a target was missed. */
export function report(runs: readonly Run[], method: Method): boolean {
  const whole = joined(runs.map((one) => one.whole.rounds));
  const streams = joined(runs.map((one) => one.streams.rounds));
  const isFine = MEASURES.every(
    (measure) =>
      gain(whole, 'native', measure) >= TARGETS.native &&
      gain(streams, 'native', measure) >= TARGETS.native &&
      gain(whole, 'gateway', measure) >= TARGETS.gateway,
  );
  const text = `${head(method)}
| | \`/api/chat/completions\` | \`/v1/chat/completions\` | gateway | a bare pipe |
|---|---|---|---|---|
${row(`Whole answers, ${method.workers.whole} at once`, whole)}
${row(`Streams of 500 chunks, ${method.workers.streams} at once, chunks`, streams)}

How often \`/v1/chat/completions\` gives what the others do: by answers a second, and by what one takes of a processor.

| | Whole: of our own | by processor | Streams: of our own | by processor | Whole: times the gateway | by processor |
|---|---|---|---|---|---|---|
| Target | ${[TARGETS.native, TARGETS.native, TARGETS.native, TARGETS.native, TARGETS.gateway, TARGETS.gateway].map((least) => `>= ${least}`).join(' | ')} |
${runs.map((one, index) => gains(`Run ${index + 1}`, one.whole.rounds, one.streams.rounds)).join('\n')}
${gains('**All**', whole, streams)}

The bare pipe itself gives ${times(whole, 'perSecond')} times the gateway's whole answers, by processor ${times(whole, 'cpuMs')} times.
Of the ${cpus().length} processors, load and vendor took ${cores(runs, 'whole')} while whole answers were measured, and ${cores(runs, 'streams')} of streams. The
load average of the machine was ${method.load.toFixed(1)} before: beyond a few tenths, other programs had a part of them too.

${isFine ? 'All targets are met.' : 'A target was MISSED.'}
`;
  writeFileSync(join(import.meta.dirname, 'CLIENTS.md'), text);
  console.log(text);
  return isFine;
}

function head({ gateway, rounds, seconds }: Method): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} cores (${cpu?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `# What another client's wire costs

\`npm run bench:clients\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${machine}. Medians of ${rounds} rounds
of ${seconds} s in each of several runs, in alternating order; a ratio is taken between rounds that stand beside each other. The gateway is
${gateway}, installed for this run, with the same provider behind it and the same callers before it. It does not stream on
this Node (TypeError: immutable).
`;
}

function joined(all: readonly Rounds[]): Rounds {
  const of = (name: Name): Round[] => all.flatMap((rounds) => rounds[name]);
  return { native: of('native'), wire: of('wire'), gateway: of('gateway'), pipe: of('pipe') };
}

/** How often the pipe gives the gateway's answers. */
function times(rounds: Rounds, measure: Measure): string {
  return gain(rounds, 'gateway', measure, 'pipe').toFixed(1);
}

/** Above 1: the wire, or what is named in its place, does better. NaN if there is no other. */
function gain(rounds: Rounds, other: Name, measure: Measure, name: Name = 'wire'): number {
  const ratios = rounds[name].map((one, index) => one[measure] / (rounds[other][index]?.[measure] ?? Number.NaN));
  const middle = median(ratios);
  return measure === 'cpuMs' ? 1 / middle : middle;
}

function gains(what: string, whole: Rounds, streams: Rounds): string {
  const pair = (rounds: Rounds, other: Name, digits: number): string[] =>
    MEASURES.map((measure) => gain(rounds, other, measure).toFixed(digits));
  const cells = [...pair(whole, 'native', 2), ...pair(streams, 'native', 2), ...pair(whole, 'gateway', 1)];
  return `| ${what} | ${cells.join(' | ')} |`;
}

function row(what: string, rounds: Rounds): string {
  const cells = NAMES.map((name) => {
    if (rounds[name].length === 0) return '–';
    const perSecond = median(rounds[name].map((one) => one.perSecond)).toFixed(0);
    const cpu = median(rounds[name].map((one) => one.cpuMs)).toFixed(3);
    return `${perSecond}/s, ${cpu} ms of a processor each`;
  });
  return `| ${what} | ${cells.join(' | ')} |`;
}

function cores(runs: readonly Run[], what: keyof Run): string {
  const of = (who: 'load' | 'vendor'): string => median(runs.map((one) => one[what].cores[who])).toFixed(2);
  return `${of('load')} and ${of('vendor')}`;
}
