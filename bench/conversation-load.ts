import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConversationClient, type StoredMessage } from './conversation-client.ts';
import { type Running, startServer } from './processes.ts';

/** Turns at once: each in its own conversation, and all in one. */
export const AT_ONCE = 200;
export const IN_ONE = 20;

const ROUNDS = 3;
const WARM_UP_TURNS = 20;
const WITHIN_MS = 10_000;

/** How late the event loop came round to a timer, milliseconds. */
export interface Delay {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** `own`: without the time in which another thread had the processor. */
export interface LoopDelay {
  late: Delay;
  own: Delay;
}

/** Some turns at once: milliseconds until the last answer, and until the middle one. */
export interface Burst {
  stream: boolean;
  took: number;
  middle: number;
}

/** Bursts of the same kind, one after the other. */
export interface LoadKind {
  name: string;
  bursts: Burst[];
  delay: LoopDelay;
}

/** What was measured, and what was wrong with what it left. */
export interface LoadResult {
  kinds: LoadKind[];
  problems: string[];
}

/**
 * Sends turns at once to a server of its own, whole and streamed, then reads every conversation and the server's log.
 * @param home with or without a database.
 */
export async function load(upstream: Running, home: string, environment: Record<string, string>): Promise<LoadResult> {
  const file = join(home, 'loop-delay.json');
  const options = { home, environment: { ...environment, LOOP_DELAY_FILE: file }, preload: 'loop-delay.ts' };
  const server = await startServer(upstream.url, options);
  const client = new ConversationClient(server.url, AT_ONCE);
  const begin = async (): Promise<string> => {
    const body = { model: 'openai/gpt-4o-mini', systemPrompt: 'Repeat.', title: 'Load' };
    return (await client.json<{ conversation: { id: string } }>('POST', '/api/chat/conversations', body)).conversation
      .id;
  };
  const many = await Promise.all(Array.from({ length: AT_ONCE }, begin));
  const one = Array<string>(IN_ONE).fill(await begin());
  const warm = await begin();
  for (let i = 0; i < WARM_UP_TURNS; i++) await client.send(warm, `warm ${i}`, i % 2 === 1);

  const problems: string[] = [];
  const kinds: LoadKind[] = [];
  for (const [name, ids] of [
    [`${AT_ONCE} turns at once in ${AT_ONCE} conversations`, many],
    [`${IN_ONE} turns at once in one conversation`, one],
  ] as const) {
    const kind: LoadKind = { name, bursts: [], delay: await loopDelay(server.pid, file) };
    for (let round = 0; round < ROUNDS; round++) {
      for (const stream of [false, true]) {
        kind.bursts.push(await sendAtOnce(client, ids, `${name}, burst ${kind.bursts.length}`, stream, problems));
      }
    }
    kinds.push({ ...kind, delay: await loopDelay(server.pid, file) });
  }
  const turnsOf = (id: string): number => 2 * ROUNDS * (id === one[0] ? IN_ONE : 1);
  for (const id of [...many, one[0] ?? '']) problems.push(...(await problemsOf(client, id, turnsOf(id))));
  await client.close();
  await server.stop();
  const log = readFileSync(join(home, 'log'), 'utf8').split('\n');
  problems.push(...log.filter((line) => /locked|"level":[456]0/.test(line)).slice(0, 5));
  return { kinds, problems };
}

async function sendAtOnce(
  client: ConversationClient,
  ids: readonly string[],
  words: string,
  stream: boolean,
  problems: string[],
): Promise<Burst> {
  const began = performance.now();
  const times = await Promise.all(
    ids.map(async (id, index) => {
      const content = `${words} ${index}`;
      try {
        const { userMessage, assistantMessage } = await client.send(id, content, stream);
        const isOurs = userMessage.content === content && assistantMessage.content.endsWith(` ${content}`);
        if (!isOurs) problems.push(`another one's answer: ${assistantMessage.content} instead of ${content}`);
      } catch (error) {
        problems.push(`not answered: ${String(error)}`);
      }
      return performance.now() - began;
    }),
  );
  const sorted = times.toSorted((a, b) => a - b);
  return { stream, took: sorted.at(-1) ?? 0, middle: sorted[sorted.length >> 1] ?? 0 };
}

/** Every turn is there, whole, and each model call saw all turns before it and nothing else. */
async function problemsOf(client: ConversationClient, id: string, turns: number): Promise<string[]> {
  const { messages } = await client.json<{ messages: StoredMessage[] }>('GET', `/api/chat/conversations/${id}`);
  const problems = messages.length === 2 * turns ? [] : [`${messages.length} messages of ${turns} turns in ${id}`];
  for (const [index, message] of messages.entries()) {
    const question = messages[index - (index % 2)]?.content;
    // The upstream's answer says how many messages it was sent; the first is the system prompt.
    const wanted = index % 2 === 0 ? question : `${index + 1} ${question}`;
    const isRight =
      message.seq === index + 1 &&
      message.role === (index % 2 === 0 ? 'user' : 'assistant') &&
      message.status === 'complete' &&
      message.content === wanted;
    if (!isRight) problems.push(`${id} ${index}: ${JSON.stringify(message).slice(0, 200)} instead of ${wanted}`);
  }
  return problems.slice(0, 3);
}

/** How late the server's event loop came round since it was asked last. */
async function loopDelay(pid: number, file: string): Promise<LoopDelay> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + WITHIN_MS;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error('the server does not say how late its event loop is');
    await sleep(2);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as LoopDelay;
}
