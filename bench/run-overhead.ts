import { rmSync } from 'node:fs';
import type { Running } from './processes.ts';
import { RunClient } from './run-client.ts';
import { type DatabaseKind, newPlace, startNode } from './run-place.ts';
import { type Timing, takeTurns } from './turn-taking.ts';

const WARM_UP = 20;
const CONTENT = 'How are you?';

/** What a plain message takes beside a completion with the same words, which stores nothing. */
export interface Overhead {
  message: Timing;
  completion: Timing;
}

/** Sends both in turn to the demo model. Each message is the first of its conversation. */
export async function timeOverhead(kind: DatabaseKind, upstream: Running, rounds: number): Promise<Overhead> {
  const place = await newPlace(kind);
  const server = await startNode(place, upstream.url);
  const client = new RunClient(server.url);
  const conversations: string[] = [];
  for (let i = 0; i < WARM_UP + rounds; i++) conversations.push(await client.newConversation());
  const message = async (): Promise<void> => {
    await client.send(conversations.pop() ?? '', CONTENT);
  };
  const completion = async (): Promise<void> => {
    const body = { model: 'demo', messages: [{ role: 'user', content: CONTENT }] };
    await client.json('POST', '/api/chat/completions', body);
  };
  const { pid } = server;
  const timings = await takeTurns(
    [
      { name: 'message', pid, run: message },
      { name: 'completion', pid, run: completion },
    ],
    rounds,
    WARM_UP,
  );
  await client.close();
  await server.stop();
  rmSync(place.home, { recursive: true, force: true });
  const nothing = { took: Number.NaN, cpu: Number.NaN };
  return { message: timings.get('message') ?? nothing, completion: timings.get('completion') ?? nothing };
}
