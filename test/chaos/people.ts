import type { Json } from '../server.ts';
import type { Client, Told } from './client.ts';
import { PROVIDER } from './cluster.ts';
import { messageOf, type Plan } from './plan.ts';
import { type Random, seededFor } from './random.ts';
import { Watcher } from './watcher.ts';

/** What was said to a run, and what came of it. */
export interface Steering {
  content: string;
  /** Undefined: nobody knows. */
  told: Told | undefined;
}

/** What the people around a run have done, and what they were told. */
export interface TrackReport {
  plan: Plan;
  conversation: string;
  run: string | undefined;
  /** Of the starts that were answered. */
  starts: Told[];
  watchers: Pick<Watcher, 'seen' | 'refusals' | 'isAtEnd' | 'isLetGo' | 'cuts'>[];
  cancels: Told[];
  steerings: Steering[];
}

/** The same while it goes on. */
export interface Track extends TrackReport {
  watchers: Watcher[];
  /** All that was to be done and seen was. */
  isOver: boolean;
}

/** Milliseconds: an answer that waits for the run comes later than others. */
const LONG_MS = 8000;
const ENDS = ['completed', 'failed', 'cancelled'];

/** Most bytes that a watcher reads before it is cut off. */
const MOST_BYTES = 30_000;

/** Starts a run as it is planned, and does to it what is planned, until it has ended and all who watch have seen that. */
export async function accompany(client: Client, plan: Plan, conversation: string, tracks: Track[]): Promise<void> {
  const random = seededFor(plan.seed, plan.run, 99);
  const watchers = [0, 1].map(() => new Watcher(client, random, MOST_BYTES));
  const track: Track = {
    plan,
    conversation,
    run: undefined,
    starts: [],
    watchers,
    cancels: [],
    steerings: [],
    isOver: false,
  };
  tracks.push(track);
  const starting = start(client, track, random);
  const run = await Promise.race([find(client, track), starting.then(() => find(client, track))]);
  track.run = run;
  await Promise.all([
    starting,
    ...watchers.map((watcher) => watcher.watch(run)),
    cancel(client, track, run),
    steer(client, track, run),
  ]);
  track.isOver = true;
}

/** Starts it again and again with the same key, until it is told that it has. */
async function start(client: Client, track: Track, random: Random): Promise<void> {
  const { plan, conversation } = track;
  const { kind, mode, onCrash, run, stream } = plan;
  const path = `/conversations/${conversation}/messages/${kind === 'tools' ? 'with-tools' : 'agentic'}`;
  const own = kind === 'tools' ? { stream } : { onCrash };
  const body = { content: messageOf(run), model: `${PROVIDER}/m${run}`, securityMode: mode, ...own };
  // Some ask again also when they need not.
  for (let left = random() < 0.3 ? 2 : 1; left > 0; ) {
    const told = await client.ask(path, { body, key: `start-${run}`, patienceMs: LONG_MS });
    // The turn may still be another run's, or the database away.
    const isAnswered = told !== undefined && runNamed(told) !== undefined;
    if (isAnswered && !isBusy(told)) {
      track.starts.push(told);
      left--;
    } else await client.rest(200);
  }
}

/** The run that an answer to a start is about. */
export function runNamed({ status, body }: Told): string | undefined {
  if (status !== 200) return body?.details?.runId;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return /"(?:runId|sessionId)":"([^"]+)"/.exec(text)?.[1];
}

function isBusy({ status, body }: Told): boolean {
  return status === 409 && /waits for an approval|still being answered/.test(JSON.stringify(body));
}

/** The run that was begun with this one's message. */
async function find(client: Client, { plan, conversation }: Track): Promise<string> {
  const known = new Set<string>();
  for (;;) {
    const { body } = await client.insist(`/runs?conversationId=${conversation}&limit=100`, {}, [200]);
    for (const { id } of body.runs.filter((run: Json) => !known.has(run.id))) {
      const first = new Watcher(client, seededFor(plan.run), 0, 0);
      const content = await first.first(id);
      if (content === messageOf(plan.run)) return id;
      if (content !== undefined) known.add(id);
    }
    await client.rest(60);
  }
}

async function cancel(client: Client, { plan, watchers, cancels }: Track, run: string): Promise<void> {
  if (!plan.cancel) return;
  const { after, twice } = plan.cancel;
  await watchers[0]?.reached(({ id }) => id >= after);
  const one = async (): Promise<void> => {
    cancels.push(await client.insist(`/runs/${run}/cancel`, { body: {} }, [200, 409]));
  };
  await Promise.all(twice ? [one(), one()] : [one()]);
}

async function steer(client: Client, { plan, watchers, steerings }: Track, run: string): Promise<void> {
  for (const [index, after] of plan.steers.entries()) {
    const begins = `{"type":"step:start","data":{"step":${plan.steps.length},`;
    await watchers[1]?.reached(({ id, data }) => (after === 'last step' ? data.startsWith(begins) : id >= after));
    const steering: Steering = { content: `steer ${plan.run}.${index}`, told: undefined };
    steerings.push(steering);
    const asking = { body: { content: steering.content }, key: `steer-${plan.run}-${index}` };
    steering.told = await client.insist(`/runs/${run}/messages`, asking, [201, 409]);
  }
}

/** Waits until a run has ended. */
export async function ended(client: Client, run: string): Promise<void> {
  while (!ENDS.includes((await client.insist(`/runs/${run}`, {}, [200])).body.run.status)) await client.rest(100);
}
