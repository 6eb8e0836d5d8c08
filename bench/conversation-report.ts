import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { LISTS, type ListTiming } from './conversation-lists.ts';
import type { LoadKind, LoadResult } from './conversation-load.ts';
import { LIVE, type MessageTimings, STORED, UNCOMPACTED } from './conversation-messages.ts';
import type { Timing } from './turn-taking.ts';

/** What was measured on one kind of database. */
export interface DatabaseResults {
  name: 'SQLite' | 'PostgreSQL';
  lists: Record<(typeof LISTS)[number], ListTiming>;
  messages: MessageTimings;
  load: LoadResult;
}

/** The issue's targets. */
const MOST_SPREAD = 0.3;
const MOST_LIST_RATIO = 2;
const MOST_DELAY_MS = 50;

interface Row {
  line: string;
  pass: boolean;
}

/** Writes CONVERSATIONS.md and says on the console what it says. False if a target was missed. */
export function report(results: readonly DatabaseResults[]): boolean {
  const rows = results.flatMap(targets);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  const text = `# Conversations

- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, profclaw ${version}, node ${process.version}
- ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB
- To repeat: \`npm run bench:conversations\`. How it is measured: [README.md](README.md)

| What | Database | Target | Measured | |
| --- | --- | --- | --- | --- |
${rows.map(({ line }) => line).join('\n')}

All times are milliseconds, and medians where nothing else is said.

## One more message

The last ${LIVE} messages of these conversations are sent to the model, with a summary of all before them. The server's own
time is that of the answer less the upstream's; the processor time is that of the server's thread.

| | ${results.map(({ name }) => `${name}: own time | processor`).join(' | ')} |
| --- |${' --- | --- |'.repeat(results.length)}
${messageLines(results).join('\n')}

A history that goes to the model as a whole costs its length, read and sent: that of ${UNCOMPACTED.toLocaleString('en')} messages without a
summary is beside the others only to show it.

## Twenty conversations of a list

| | ${results.map(({ name }) => `${name}: of 100 | of 100,000 | processor, of 100 | of 100,000`).join(' | ')} |
| --- |${' --- | --- | --- | --- |'.repeat(results.length)}
${LISTS.map((list) => `| ${list} | ${results.map(({ lists }) => listCells(lists[list])).join(' | ')} |`).join('\n')}

The words have no target. What a rare word finds is looked up one by one; of a frequent one everything that it finds is
sorted and counted.

## Turns at once

How late the event loop came round to a timer of 1 ms: *own* is without the time in which it could have gone on but
another process had the processor; *late* is with it.

| | Database | took, each burst | own p50 | p99 | longest | late p50 | p99 | longest |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${results.flatMap(({ name, load }) => load.kinds.map((kind) => loadLine(name, kind))).join('\n')}
`;
  writeFileSync(join(import.meta.dirname, 'CONVERSATIONS.md'), text);
  console.log(text);
  for (const { name, load } of results) for (const problem of load.problems) console.error(`${name}: ${problem}`);
  return rows.every(({ pass }) => pass);
}

function targets({ name, messages, lists, load }: DatabaseResults): Row[] {
  const row = (what: string, target: string, measured: string, pass: boolean): Row => ({
    line: `| ${what} | ${name} | ${target} | ${measured} | ${pass ? 'pass' : '**miss**'} |`,
    pass,
  });
  const own = STORED.map((count) => ownTime(messages.stored[count], messages));
  const spread = Math.max(...own) / Math.min(...own) - 1;
  const percent = `${own.map(ms).join(', ')}: **${(spread * 100).toFixed(0)} %**`;
  const counts = STORED.map((count) => count.toLocaleString('en')).join(', ');
  return [
    row(`One more message where ${counts} are stored: own time differs`, '< 30 %', percent, spread < MOST_SPREAD),
    ...LISTS.filter((list) => !list.endsWith('word')).map((list) => {
      const { few, many } = lists[list];
      const ratio = many.took / few.took;
      const measured = `${ms(few.took)}, ${ms(many.took)}: **${ratio.toFixed(2)}**`;
      return row(`20 of 100,000 conversations beside 20 of 100, ${list}`, '< 2', measured, ratio < MOST_LIST_RATIO);
    }),
    ...load.kinds.map(({ name: what, delay }) => {
      const { p99 } = delay.own;
      return row(`Event loop, ${what}: p99`, '< 50 ms', `**${p99.toFixed(1)} ms**`, p99 < MOST_DELAY_MS);
    }),
    row(
      'All turns answered, stored and in order; no error in the log',
      'all',
      load.problems.length === 0 ? 'all' : `${load.problems.length} problems`,
      load.problems.length === 0,
    ),
  ];
}

function ownTime({ took }: Timing, { upstream }: MessageTimings): number {
  return took - upstream.took;
}

function messageLines(results: readonly DatabaseResults[]): string[] {
  const line = (what: string, of: (messages: MessageTimings) => Timing): string => {
    const cells = results.flatMap(({ messages }) => [ms(ownTime(of(messages), messages)), ms(of(messages).cpu)]);
    return `| ${what} | ${cells.join(' | ')} |`;
  };
  return [
    line('A completion of as many messages, nothing stored', (messages) => messages.completion),
    ...STORED.map((count) => line(`${count.toLocaleString('en')} stored`, (messages) => messages.stored[count])),
    line(`${UNCOMPACTED.toLocaleString('en')} stored, no summary`, (messages) => messages.uncompacted),
  ];
}

function listCells({ few, many }: ListTiming): string {
  return [few.took, many.took, few.cpu, many.cpu].map(ms).join(' | ');
}

function loadLine(database: string, { name, bursts, delay: { own, late } }: LoadKind): string {
  const delays = [own, late].flatMap(({ p50, p99, max }) => [p50, p99, max].map((value) => value.toFixed(1)));
  const took = bursts.map((burst) => burst.took.toFixed(0)).join(', ');
  return `| ${name} | ${database} | ${took} | ${delays.join(' | ')} |`;
}

function ms(value: number): string {
  return value.toFixed(2);
}
