import { QUESTIONS } from './run-many.ts';
import type { DatabaseRuns, RunResults, Sizes } from './run-report.ts';
import type { Standstill } from './run-standstill.ts';

/** A line of the table of targets. */
export interface Row {
  line: string;
  pass: boolean;
}

/** The most that a median may be, milliseconds. */
const MEDIANS = {
  SQLite: { start: 10, approve: 10, cancel: 10 },
  PostgreSQL: { start: 40, approve: 40, cancel: 20 },
} as const;
const LONGEST_RESUME_MS = 5000;
const LATEST_DELTA_MS = 250;
const MOST_GROWTH = 1.3;
const MOST_OVERHEAD_MS = 5;
const MOST_IDLE_PERCENT = 1;
const MOST_RATIO = 1.5;
const MOST_MORE_MS = 2;

/** All targets, and whether they were met. */
export function rowsOf({ databases, standstill }: RunResults, sizes: Sizes): Row[] {
  return [
    ...databases.flatMap((one) => [
      ...latencyRows(one),
      resumeRow(one),
      ...waveRows(one),
      overheadRow(one),
      ...manyRows(one, sizes),
    ]),
    ...standstill.map((one) => standstillRow(one, sizes)),
  ];
}

function row(what: string, database: string, target: string, measured: string, pass: boolean): Row {
  return { line: `| ${what} | ${database} | ${target} | ${measured} | ${pass ? 'pass' : '**miss**'} |`, pass };
}

function latencyRows({ name, latencies, twoNodes }: DatabaseRuns): Row[] {
  const limits = MEDIANS[name];
  const rows = (given: typeof latencies, labels: Record<keyof typeof limits, string>): Row[] =>
    (['start', 'approve', 'cancel'] as const).map((key) => {
      const { p50 } = given[key];
      const measured = `**${p50.toFixed(1)} ms** (health ${given.health.p50.toFixed(1)})`;
      return row(labels[key], name, `< ${limits[key]} ms`, measured, p50 < limits[key]);
    });
  const alone = {
    start: 'Start to the first event, p50',
    approve: 'Approval to the first deed of its tool, p50',
    cancel: 'Cancel to the last event, p50',
  };
  const beside = {
    start: 'Start on A to the first event, p50',
    approve: 'Approval on B to the first deed of its tool, p50',
    cancel: 'Cancel on B to the last event, p50',
  };
  return [...rows(latencies, alone), ...(twoNodes ? rows(twoNodes, beside) : [])];
}

function resumeRow({ name, resumes }: DatabaseRuns): Row {
  const longest = Math.max(...resumes);
  const measured = `**${(longest / 1000).toFixed(2)} s**`;
  return row(
    `Kill to the first new event, longest of ${resumes.length}`,
    name,
    '< 5 s',
    measured,
    longest < LONGEST_RESUME_MS,
  );
}

function waveRows({ name, waves: { runs, waves } }: DatabaseRuns): Row[] {
  const [first, second] = waves;
  const growth = (second?.afterMb ?? Number.NaN) / (first?.afterMb ?? Number.NaN);
  const p99 = Math.max(...waves.map((wave) => wave.p99));
  const problems = waves.flatMap((wave) => wave.problems).length;
  const hasTarget = name === 'SQLite';
  const memory = `${first?.afterMb.toFixed(0)}, ${second?.afterMb.toFixed(0)} MB: **${growth.toFixed(2)}**`;
  return [
    row(
      `${runs} streams at once, provider to watcher, p99 of the worse wave`,
      name,
      hasTarget ? `< ${LATEST_DELTA_MS} ms` : 'none',
      `**${p99.toFixed(0)} ms**`,
      !hasTarget || p99 < LATEST_DELTA_MS,
    ),
    row('Every delta at its watcher, in order', name, 'all', problems === 0 ? 'all' : 'not all', problems === 0),
    row('Memory after a second wave beside that after the first', name, '<= 1.3', memory, growth <= MOST_GROWTH),
  ];
}

function overheadRow({ name, overhead: { message, completion } }: DatabaseRuns): Row {
  const more = message.took - completion.took;
  const measured = `${message.took.toFixed(2)}, ${completion.took.toFixed(2)}: **${more.toFixed(2)} ms**`;
  return row('A plain message beside a completion, p50', name, '<= 5 ms more', measured, more <= MOST_OVERHEAD_MS);
}

function manyRows({ name, many }: DatabaseRuns, { finished }: Sizes): Row[] {
  return QUESTIONS.map((what) => {
    const { few, many: full } = many[what];
    const ratio = full.took / few.took;
    const pass = ratio <= MOST_RATIO || full.took - few.took <= MOST_MORE_MS;
    const measured = `${few.took.toFixed(2)}, ${full.took.toFixed(2)}: **${ratio.toFixed(2)}**`;
    return row(
      `${finished.toLocaleString('en')} ended runs: ${what}, p50`,
      name,
      '<= 1.5, or 2 ms more',
      measured,
      pass,
    );
  });
}

function standstillRow({ name, waiting, without }: Standstill, sizes: Sizes): Row {
  const more = waiting.percent - without.percent;
  const measured = `${without.percent.toFixed(2)}, ${waiting.percent.toFixed(2)} %: **${more.toFixed(2)} %**`;
  const what = `${sizes.waiting.toLocaleString('en')} waiting approvals: more processor time of a server at rest`;
  return row(what, name, '< 1 % of a core', measured, more < MOST_IDLE_PERCENT);
}
