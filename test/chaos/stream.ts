import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { textsOf } from './check-log.ts';
import { Client } from './client.ts';
import { Cluster, PROVIDER } from './cluster.ts';
import { prepareEffects } from './effects.ts';
import { messageOf, planAnswer } from './plan.ts';
import { between, seededFor } from './random.ts';
import { Upstream } from './upstream.ts';
import { Watcher } from './watcher.ts';

/** One long answer under fire. */
export interface StreamOptions {
  databaseUrl: string | undefined;
  seed: number;
  /** Of the model, each of them an event of its own. */
  deltas: number;
  /** How often the client is cut off, at any byte. */
  cuts: number;
  /** How often the node that is at work is killed. */
  kills: number;
  /** The nodes' program, in place of the real one. */
  program?: string;
}

/** What came of it. */
export interface StreamOutcome {
  /** What the client has put together. */
  received: string;
  /** The message as it is stored. */
  stored: string;
  /** The numbers of the events, as they came. */
  ids: number[];
  cuts: number;
  kills: number;
  resets: number;
}

/** Bytes: so that the cuts come while there is something to cut. */
const MOST_BYTES = 3000;
const PACE = { wordsAtOnce: 4, pauseMs: 4 };
const KILL_MS = 60_000;

/** Streams one answer to a client that is cut off again and again, while nodes are killed. */
export async function runStream(options: StreamOptions): Promise<StreamOutcome> {
  const { databaseUrl, seed, deltas, cuts, kills, program } = options;
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-stream-'));
  const effects = join(folder, 'effects');
  mkdirSync(effects);
  prepareEffects(effects);
  const upstream = new Upstream([planAnswer(deltas)], PACE);
  await upstream.start();
  const nodes = databaseUrl === undefined ? 1 : 3;
  const cluster = new Cluster({ program, nodes, databaseUrl, folder, effects, upstream });
  const over = AbortSignal.timeout(60_000 + kills * 15_000);
  const client = new Client(cluster, seededFor(seed, 1), over);
  try {
    await cluster.start();
    const { conversation, run } = await begin(client);
    const watcher = new Watcher(client, seededFor(seed, 2), MOST_BYTES, cuts);
    await Promise.all([watcher.watch(run), killAll(cluster, upstream, options)]);
    const { body } = await client.insist(`/conversations/${conversation}`, {}, [200]);
    const events = watcher.seen.map(({ id, data }) => ({ ...JSON.parse(data), seq: id, line: data }));
    return {
      received: textsOf(events).get(1)?.text ?? '',
      stored: body.messages.at(-1).content,
      ids: watcher.seen.map(({ id }) => id),
      cuts: watcher.cuts,
      kills: cluster.deaths,
      resets: events.filter(({ type }) => type === 'attempt:reset').length,
    };
  } finally {
    await cluster.stop();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function begin(client: Client): Promise<{ conversation: string; run: string }> {
  const made = await client.insist('/conversations', { body: {}, key: 'conversation' }, [200, 201]);
  const conversation = made.body.conversation.id as string;
  const body = { content: messageOf(0), model: `${PROVIDER}/m0` };
  // Its own stream is not read to the end.
  for (const asking = { body, key: 'start', patienceMs: 300 }; ; ) {
    await client.ask(`/conversations/${conversation}/messages/agentic`, asking);
    const told = await client.insist(`/runs?conversationId=${conversation}`, {}, [200]);
    const run = told.body.runs[0]?.id as string | undefined;
    if (run !== undefined) return { conversation, run };
  }
}

/** Kills the node that is at work, each time in the middle of another try of the answer. */
async function killAll(cluster: Cluster, upstream: Upstream, { seed, deltas, kills }: StreamOptions): Promise<void> {
  const random = seededFor(seed, 3);
  for (let kill = 1; kill <= kills; kill++) {
    const after = between(random, 1, Math.floor(deltas * 0.8));
    for (const end = performance.now() + KILL_MS; (upstream.asked[kill - 1]?.sent ?? 0) < after; await sleep(2)) {
      if (performance.now() > end) throw new Error(`try ${kill} of the answer does not come to delta ${after}`);
    }
    const node = cluster.nodes.find(({ name }) => name === upstream.asked[kill - 1]?.node);
    if (node) cluster.kill(node);
  }
}
