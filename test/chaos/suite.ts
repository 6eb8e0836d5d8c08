import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Approver } from './approver.ts';
import { Client } from './client.ts';
import { Cluster } from './cluster.ts';
import { prepareEffects, readEffects } from './effects.ts';
import { type Evidence, readShown, readTables } from './evidence.ts';
import { type FaultPlan, Faults } from './faults.ts';
import { accompany, ended, type Track } from './people.ts';
import { type Plan, planRun, type Wishes } from './plan.ts';
import { seededFor } from './random.ts';
import { type Pace, Upstream } from './upstream.ts';
import { findViolations } from './violations.ts';

/** What a suite does. */
export interface SuiteOptions {
  seed: number;
  runs: number;
  /** Runs that go on at once, at most. */
  atOnce: number;
  databaseUrl: string | undefined;
  nodes: number;
  wishes: Wishes;
  pace: Pace;
  /** Of different kinds, at the same time. */
  faults: readonly FaultPlan[];
  /** Milliseconds for all runs to end; and then once more without faults. */
  patienceMs: number;
  /** The nodes' program, in place of the real one. */
  program?: string;
}

/** What came of it. */
export interface Outcome {
  violations: string[];
  evidence: Evidence;
  counts: Record<string, number>;
  faults: string[];
  /** Logs and state; gone if there are no violations. */
  folder: string;
}

/** Runs a suite, and looks for all that must not be. */
export async function runSuite(options: SuiteOptions): Promise<Outcome> {
  const { seed, runs, wishes, pace, databaseUrl, nodes, program } = options;
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-chaos-'));
  const effects = join(folder, 'effects');
  mkdirSync(effects);
  prepareEffects(effects);
  const plans = Array.from({ length: runs }, (_, run) => planRun(seed, run, wishes));
  const upstream = new Upstream(plans, pace);
  await upstream.start();
  const cluster = new Cluster({ program, nodes, databaseUrl, folder, effects, upstream });
  try {
    await cluster.start();
    const lived = await live(options, { cluster, upstream, plans });
    const { shown, tables, ...rest } = lived;
    const evidence: Evidence = {
      ...{ shown, tables, effects: readEffects(effects), crashes: cluster.crashes },
      ...{ tracks: rest.tracks, answers: rest.approver.answers, failures: rest.failures },
    };
    const violations = findViolations(evidence);
    if (violations.length === 0) rmSync(folder, { recursive: true, force: true });
    return { violations, evidence, counts: count(evidence, cluster, upstream), faults: rest.faults, folder };
  } finally {
    await cluster.stop();
    await upstream.stop();
  }
}

interface World {
  cluster: Cluster;
  upstream: Upstream;
  plans: readonly Plan[];
}

async function live(options: SuiteOptions, { cluster, upstream, plans }: World) {
  const { seed, atOnce, patienceMs } = options;
  const over = new AbortController();
  const client = new Client(cluster, seededFor(seed, 1), over.signal);
  const approver = new Approver(client, seededFor(seed, 2));
  const lanes = options.faults.map((plan, lane) => new Faults(cluster, upstream, seededFor(seed, 3, lane), plan));
  const tracks: Track[] = [];
  const failures: string[] = [];
  const answered = new AbortController();
  const approving = approver.work(answered.signal);
  const people = Promise.all(peopleFor(client, plans, tracks, atOnce));
  approving.catch(() => {});
  people.catch(() => {});
  const calm = new AbortController();
  const faulting = Promise.all(lanes.map((lane) => lane.go(calm.signal)));
  await Promise.race([people, sleep(patienceMs, undefined, { ref: false })]);
  calm.abort();
  await faulting;
  const limit = setTimeout(() => over.abort(new Error('the suite takes too long')), patienceMs);
  try {
    await people;
    for (const { run } of tracks) if (run !== undefined) await ended(client, run);
    answered.abort();
    await approving;
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error), ...tracks.flatMap(unfinished));
  }
  clearTimeout(limit);
  const reader = new Client(cluster, seededFor(seed, 4), AbortSignal.timeout(60_000));
  const tables = await readTables(cluster);
  // One that has not ended has an endless stream.
  const shown = failures.length > 0 ? new Map() : await readShown(reader, tracks);
  return { tracks, approver, faults: lanes.flatMap(({ done }) => done), failures, shown, tables };
}

/** What keeps a run's people waiting. */
function unfinished({ plan, run, starts, watchers, isOver }: Track): string[] {
  if (isOver) return [];
  const seen = watchers.map((watcher) => `${watcher.seen.length}${watcher.isAtEnd ? ' and the end' : ''}`);
  return [
    `run ${plan.run} (${run ?? 'not found'}) is not over: ${starts.length} starts answered, ${seen.join(', ')} seen`,
  ];
}

/** Whoever begins runs: so many at once, each with one after the other. */
function peopleFor(client: Client, plans: readonly Plan[], tracks: Track[], atOnce: number): Promise<void>[] {
  const left = [...plans];
  const conversations: string[] = [];
  const work = async (): Promise<void> => {
    for (let plan = left.shift(); plan; plan = left.shift()) {
      let conversation = plan.shares ? conversations.at(-1) : undefined;
      if (conversation === undefined) {
        const asking = { body: { title: `of run ${plan.run}` }, key: `conversation-${plan.run}` };
        const { body } = await client.insist('/conversations', asking, [200, 201]);
        conversation = body.conversation.id as string;
        conversations.push(conversation);
      }
      await accompany(client, plan, conversation, tracks);
    }
  };
  return Array.from({ length: atOnce }, work);
}

function count({ tables, tracks, answers }: Evidence, cluster: Cluster, upstream: Upstream): Record<string, number> {
  const { runs, run_events, approvals } = tables;
  const watchers = tracks.flatMap((track) => track.watchers);
  return {
    runs: runs.length,
    completed: runs.filter(({ status }) => status === 'completed').length,
    failed: runs.filter(({ status }) => status === 'failed').length,
    cancelled: runs.filter(({ status }) => status === 'cancelled').length,
    deaths: cluster.deaths,
    freezes: cluster.freezes,
    taken: runs.reduce((sum, { attempts }) => sum + attempts, 0),
    asked: upstream.asked.length,
    events: run_events.length,
    resets: run_events.filter(({ type }) => type === 'attempt:reset').length,
    cuts: watchers.reduce((sum, { cuts }) => sum + cuts, 0),
    approvals: approvals.length,
    'after a crash': approvals.filter(({ reason }) => reason.includes('server stopped')).length,
    answers: answers.length,
    steered: tracks.reduce((sum, { steerings }) => sum + steerings.length, 0),
  };
}
