import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Round } from './load.ts';
import type { Footprint } from './processes.ts';

/** The rounds of all sides, one of each at a time. */
export interface Comparison {
  /** The way undici's documentation shows: the yardstick. */
  pipe: Round[];
  /** The least that can be done. */
  handler: Round[];
  profclaw: Round[];
}

/** Streams of one wire. */
export interface WireResult extends Pick<Comparison, 'pipe' | 'profclaw'> {
  name: string;
}

/** Everything that was measured. */
export interface Results {
  starts: number[];
  idle: Footprint;
  after: Footprint;
  whole: Comparison;
  streams: Comparison;
  single: Comparison;
  wires: WireResult[];
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Writes RESULTS.md and says on the console what it says. False if a target was missed. */
export function report(results: Results): boolean {
  const { starts, idle, after, whole, streams, single, wires } = results;
  const wholeRatio = median(ratios(whole));
  const streamRatio = median(ratios(streams));
  const rows = [
    row('Whole answers, 32 at once', '>= 0.5 of the pipe', pair(whole, 'requests/s'), wholeRatio >= 0.5),
    row('Streams, 64 at once, 500 chunks each', '>= 0.9 of the pipe', pair(streams, 'chunks/s'), streamRatio >= 0.9),
    row(
      `Start to the first \`/health\` 200 (${starts.length} starts)`,
      '< 500 ms',
      startText(starts),
      median(starts) < 500,
    ),
    row('Resident memory when idle, 5 s after the start', '< 90 MB', `${idle.rssMb.toFixed(1)} MB`, idle.rssMb < 90),
  ];
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  const text = `# Results

- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, profclaw ${version}, node ${process.version}
- ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB
- To repeat: \`npm run bench\`. How it is measured: [README.md](README.md)

| What | Target | Measured | |
| --- | --- | --- | --- |
${rows.map(({ line }) => line).join('\n')}

Numbers are medians of the rounds; a ratio is the median of the ratios of the pairs.

| Pair | ${whole.pipe.map((_, i) => i + 1).join(' | ')} |
| --- |${' --- |'.repeat(whole.pipe.length)}
| Whole answers | ${list(ratios(whole))} |
| Streams | ${list(ratios(streams))} |

Beside a pipe of hand-written undici handlers, the least that can be done on this platform:

| | |
| --- | --- |
| Whole answers | ${pair(whole, 'requests/s', whole.handler)} |
| Streams | ${pair(streams, 'chunks/s', streams.handler)} |

| Time of a whole answer | pipe p50 | p99 | profclaw p50 | p99 | added p50 | p99 |
| --- | --- | --- | --- | --- | --- | --- |
| One at a time | ${latencies(single)} |
| 32 at once | ${latencies(whole)} |

| Processor time of one answer | pipe | profclaw |
| --- | --- | --- |
| Whole | ${cpu(whole)} |
| Stream of 500 chunks | ${cpu(streams)} |

Streams of each wire, 64 at once, 500 chunks each, in the provider's own form:

| Wire | profclaw of the pipe | processor time of a stream, pipe | profclaw |
| --- | --- | --- | --- |
${wires.map((wire) => `| ${wire.name} | ${pair(wire, 'chunks/s')} | ${cpu(wire)} |`).join('\n')}

After the load and 5 s of rest: ${after.rssMb.toFixed(1)} MB, ${after.files} open files, ${after.sockets} of them sockets
(before it: ${idle.rssMb.toFixed(1)} MB, ${idle.files}, ${idle.sockets}).
`;
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), text);
  console.log(text);
  return rows.every(({ pass }) => pass);
}

function row(what: string, target: string, measured: string, pass: boolean): { line: string; pass: boolean } {
  return { line: `| ${what} | ${target} | ${measured} | ${pass ? 'pass' : '**miss**'} |`, pass };
}

/** Of each pair: ours in parts of the other's. */
type Pair = Pick<Comparison, 'pipe' | 'profclaw'>;

function ratios(comparison: Pair, other: Round[] = comparison.pipe): number[] {
  const { profclaw } = comparison;
  return other.map((one, i) => (profclaw[i]?.perSecond ?? Number.NaN) / one.perSecond);
}

function pair(comparison: Pair, unit: string, other: Round[] = comparison.pipe): string {
  const middle = (rounds: Round[]): string =>
    Math.round(median(rounds.map((one) => one.perSecond))).toLocaleString('en');
  const ratio = median(ratios(comparison, other)).toFixed(2);
  return `${middle(comparison.profclaw)} of ${middle(other)} ${unit}: **${ratio}**`;
}

function list(values: number[]): string {
  return values.map((value) => value.toFixed(2)).join(' | ');
}

function startText(starts: number[]): string {
  return `${median(starts).toFixed(0)} ms (${Math.min(...starts).toFixed(0)} to ${Math.max(...starts).toFixed(0)})`;
}

function latencies({ pipe, profclaw }: Comparison): string {
  const at = (rounds: Round[], part: number): number =>
    median(rounds.map(({ latencies: all }) => all[Math.floor((all.length - 1) * part)] ?? Number.NaN));
  const [a50, a99, b50, b99] = [at(pipe, 0.5), at(pipe, 0.99), at(profclaw, 0.5), at(profclaw, 0.99)];
  return [a50, a99, b50, b99, b50 - a50, b99 - a99].map((ms) => `${ms.toFixed(2)} ms`).join(' | ');
}

function cpu({ pipe, profclaw }: Pair): string {
  return [pipe, profclaw].map((rounds) => `${median(rounds.map((one) => one.cpuMs)).toFixed(2)} ms`).join(' | ');
}
