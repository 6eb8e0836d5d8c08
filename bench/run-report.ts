import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Latencies, Spread, TwoNodeLatencies } from './run-latency.ts';
import { type Compared, QUESTIONS } from './run-many.ts';
import type { Overhead } from './run-overhead.ts';
import type { DatabaseKind } from './run-place.ts';
import type { Idle, Standstill } from './run-standstill.ts';
import { type Row, rowsOf } from './run-targets.ts';
import type { WaveResults } from './run-waves.ts';

/** How much of everything is done. */
export interface Sizes {
  /** Of each thing that is asked again and again. */
  rounds: number;
  resumes: number;
  waves: Record<DatabaseKind['name'], { runs: number; seconds: number; restMs: number }>;
  /** Runs that wait for people. */
  waiting: number;
  stillMs: number;
  /** Runs that have ended. */
  finished: number;
}

/** What was measured on one kind of database. Milliseconds. */
export interface DatabaseRuns {
  name: DatabaseKind['name'];
  latencies: Latencies;
  twoNodes: TwoNodeLatencies | undefined;
  resumes: number[];
  waves: WaveResults;
  overhead: Overhead;
  many: Record<(typeof QUESTIONS)[number], Compared>;
}

/** Everything that was measured. */
export interface RunResults {
  databases: DatabaseRuns[];
  standstill: Standstill[];
}

/** Says on the console what was measured, and writes it to RUNS.md if `isKept`. False if a target was missed. */
export function report(results: RunResults, sizes: Sizes, isKept: boolean): boolean {
  const rows = rowsOf(results, sizes);
  const text = textOf(results, sizes, rows);
  if (isKept) writeFileSync(join(import.meta.dirname, 'RUNS.md'), text);
  console.log(text);
  for (const { name, waves } of results.databases) {
    for (const problem of waves.waves.flatMap(({ problems }) => problems)) console.error(`${name}: ${problem}`);
  }
  return rows.every(({ pass }) => pass);
}

function textOf({ databases, standstill }: RunResults, sizes: Sizes, rows: readonly Row[]): string {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  return `# Agent runs

- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, profclaw ${version}, node ${process.version}
- ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB
- To repeat: \`npm run bench:runs\`; \`node bench/runs.ts --quick\` does less of everything and writes nothing.
- The load, the provider, the server and PostgreSQL (its own, without \`fsync\`) are processes of this machine and
  share its ${cpus().length} cores.

| What | Database | Target | Measured | |
| --- | --- | --- | --- | --- |
${rows.map(({ line }) => line).join('\n')}

All times are milliseconds where nothing else is said.

## One at a time

${sizes.rounds} of each in turn, with nothing else running, and \`GET /health\` in between: the least that a request takes here.
Start: from the request to the run's first event. Approve: from the approval, which waits for nothing, to the first
thing that the tool does: \`write_file\` makes a file in the workspace, which is watched. Cancel: to the run's last event.
With two nodes the run is started on one (A); what comes after that is asked of and watched at the other (B).

| | start p50 | p99 | approve p50 | p99 | cancel p50 | p99 | health p50 | p99 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${databases.flatMap(latencyLines).join('\n')}
${databases.flatMap(({ twoNodes }) => (twoNodes ? twoNodeLines(twoNodes) : [])).join('\n')}
## A node dies

The server is killed (SIGKILL) in the middle of a run's stream; on SQLite it is started again at once, on PostgreSQL there
is another node. From the kill to the first event of whoever took the run up, at a watcher:

${databases.map(({ name, resumes }) => `- ${name}: ${resumes.map((ms) => `${(ms / 1000).toFixed(2)} s`).join(', ')}`).join('\n')}

A lease of 4 s has to run out first.

## Many at once

Runs that stream at once from one server, 20 deltas a second each, each watched by one connection. When all of them wait for
the provider it begins; each delta holds when it was written. Twice, with a rest after each. Delay: from that write to
the watcher. Cores: processor time of the server, from the first start to the last end. Memory is resident, MB.

| | runs | started in | delay p50 | p99 | longest | cores | memory before | at its most | after |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${databases.flatMap(waveLines).join('\n')}

## A plain message

Medians of ${sizes.rounds} each in turn, the demo model. A completion stores nothing; the message is the first of its conversation.
What the server's thread waited for a processor is taken off; beside it, the processor time of that thread.

| | message | processor | completion | processor |
| --- | --- | --- | --- | --- |
${databases.map(({ name, overhead: { message, completion } }) => `| ${name} | ${[message.took, message.cpu, completion.took, completion.cpu].map(ms).join(' | ')} |`).join('\n')}

## Standing still

A server with ${count(sizes.waiting)} runs that wait for people and one without any, ${sizes.stillMs / 1000} s, the servers of both databases at the same
time. The runs are copies of one that a server has made, with their conversations, messages, events and the engine's jobs.

| | waiting: of a core | timers | memory, MB | without: of a core | timers | memory, MB | approve one |
| --- | --- | --- | --- | --- | --- | --- | --- |
${standstill.map((one) => `| ${one.name} | ${idle(one.waiting)} | ${idle(one.without)} | ${ms(one.approve)} |`).join('\n')}

## Many that have ended

A server with a page of finished and a page of waiting runs, and one with ${count(sizes.finished)} finished ones beside them, which are
folded and have their conversations, one in ten with an approval. Medians of ${sizes.rounds} each in turn, as above.

| | ${databases.map(({ name }) => `${name}: few | many | processor, few | many`).join(' | ')} |
| --- |${' --- | --- | --- | --- |'.repeat(databases.length)}
${QUESTIONS.map((what) => `| ${what} | ${databases.map(({ many }) => compared(many[what])).join(' | ')} |`).join('\n')}
`;
}

function latencyLines({ name, latencies, twoNodes }: DatabaseRuns): string[] {
  const line = (what: string, { start, approve, cancel, health }: Latencies): string =>
    `| ${what} | ${[start, approve, cancel, health].map(spread).join(' | ')} |`;
  return [line(name, latencies), ...(twoNodes ? [line(`${name}, two nodes`, twoNodes)] : [])];
}

function twoNodeLines({ behind, cancelAtWorker }: TwoNodeLatencies): string[] {
  const { p50, p99 } = behind;
  return [
    '',
    `An event is at a watcher of B ${ms(p50)} later than at one of A (p99 ${ms(p99)}); the last event of a run that is`,
    `cancelled on B is at a watcher of A after ${ms(cancelAtWorker.p50)} (p99 ${ms(cancelAtWorker.p99)}).`,
    '',
  ];
}

function waveLines({ name, waves: { runs, beforeMb, waves } }: DatabaseRuns): string[] {
  return waves.map((wave, index) => {
    const { startedIn, p50, p99, longest, cores, peakMb, afterMb } = wave;
    const before = index === 0 ? beforeMb : (waves[index - 1]?.afterMb ?? Number.NaN);
    const cells = [startedIn, p50, p99, longest].map((value) => value.toFixed(0));
    const memory = [before, peakMb, afterMb].map((value) => value.toFixed(0));
    return `| ${name} | ${[runs, ...cells, cores.toFixed(2), ...memory].join(' | ')} |`;
  });
}

function idle({ percent, timers, rssMb }: Idle): string {
  return `${percent.toFixed(2)} % | ${timers} | ${rssMb.toFixed(0)}`;
}

function compared({ few, many }: Compared): string {
  return [few.took, many.took, few.cpu, many.cpu].map(ms).join(' | ');
}

function spread({ p50, p99 }: Spread): string {
  return `${ms(p50)} | ${ms(p99)}`;
}

function ms(value: number): string {
  return value.toFixed(2);
}

function count(value: number): string {
  return value.toLocaleString('en');
}
