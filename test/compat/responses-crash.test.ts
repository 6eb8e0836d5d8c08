import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keyed, newKey } from '../contract/keyed.ts';
import { inOwnProcess } from '../runs/crash-rig.ts';
import { must, RunRig } from '../runs/rig.ts';
import type { Json } from '../server.ts';
import { held, type Model } from '../turns/rig.ts';

// A server that is killed (-9) in the middle of responses, and what the next one makes of them.

const PATH = '/v1/responses';

let rig: RunRig;
let secret: string;
let background: { id: string; seen: ResponseStreamEvent[]; model: Model };
/** Requests with a key that were cut: of a conversation of their own, and of one that goes on. */
let cut: { options: RequestInit; model: Model }[];
let first: Json;
let synchronous: string;

function client(): OpenAI {
  return new OpenAI({ baseURL: `${rig.server.url}/v1`, apiKey: secret, maxRetries: 0 });
}

async function all(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The events up to the first piece of text. */
async function untilText(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const seen: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    seen.push(event);
    if (event.type === 'response.output_text.delta') break;
  }
  return seen;
}

async function begun(fields: object): Promise<{ id: string; seen: ResponseStreamEvent[]; model: Model }> {
  const model = rig.vendor.model(held);
  const stream = client().responses.create({ model: model.name, input: 'Begin', stream: true, ...fields });
  (await model.call(1)).piece('Once ');
  const seen = await untilText(await stream);
  const [created] = seen;
  return { id: created?.type === 'response.created' ? created.response.id : '', seen, model };
}

async function messagesOf(conversation: Json): Promise<Json[]> {
  return (await must(rig.server.call(`/api/chat/conversations/${conversation.id}`))).messages;
}

/** As if it had been dead for some seconds. */
async function letLeasesRunOut(): Promise<void> {
  const ago = Date.now() - 1000;
  await rig.db.updateTable('turns').set({ expires_at: ago }).where('node', '<>', '').execute();
  await rig.db.updateTable('idempotency_keys').set({ expires_at: ago }).execute();
}

beforeAll(async () => {
  rig = await RunRig.start(undefined, {}, inOwnProcess);
  const scopes = ['chat', 'conversations:read'];
  secret = (await must(rig.server.call('/api/keys', { name: 'crash', scopes }))).secret;
});
afterAll(async () => {
  await rig.stop();
});

it('begin, and the server dies', async () => {
  first = await must(rig.server.call(PATH, { model: rig.vendor.model().name, input: 'First' }));
  background = await begun({ background: true });
  synchronous = (await begun({})).id;
  cut = await Promise.all(
    [{}, { previous_response_id: first.id }].map(async (fields) => {
      const model = rig.vendor.model(held);
      const options = keyed(newKey(), { model: model.name, input: 'Go', ...fields });
      rig.server.call(PATH, undefined, options).catch(() => undefined);
      await model.call(1);
      return { options, model };
    }),
  );
  await rig.stopServer();
  await letLeasesRunOut();
  await rig.startServer();
});

it('one in the background goes on, and its stream with the same numbers', async () => {
  const { id, seen, model } = background;
  const starting_after = seen.at(-1)?.sequence_number ?? -1;
  const rest = await client().responses.retrieve(id, { stream: true, starting_after });
  const call = await model.call(2);
  call.piece('Twice');
  call.end();
  const after = await all(rest);
  expect(after.at(-1)).toMatchObject({ type: 'response.completed', response: { id, status: 'completed' } });
  const whole = await all(await client().responses.retrieve(id, { stream: true }));
  expect([...seen, ...after]).toEqual(whole);
  expect(whole.map(({ sequence_number }) => sequence_number)).toEqual(whole.map((_, index) => index));
  expect((await client().responses.retrieve(id)).output_text).toBe('Twice');
});

it('another one is failed', async () => {
  await expect.poll(async () => (await client().responses.retrieve(synchronous)).status).toBe('failed');
  const { error, output } = await client().responses.retrieve(synchronous);
  expect(error?.message).toContain('stopped in the middle');
  expect(output).toEqual([]);
});

it('with its key sent again, it is made once', async () => {
  const before = await rig.db.selectFrom('responses').select('id').execute();
  const again = await Promise.all(
    cut.map(async ({ options, model }) => {
      const answer = must(rig.server.call(PATH, undefined, options));
      (await model.call(2)).answer('Done');
      return await answer;
    }),
  );
  const ids = before.map(({ id }) => id);
  for (const { id, output } of again) {
    expect(ids).toContain(id);
    expect(output[0].content[0].text).toBe('Done');
  }
  expect(await rig.db.selectFrom('responses').select('id').execute()).toHaveLength(ids.length);
  const [own, next] = again;
  expect((await messagesOf(own.conversation)).map(({ content }) => content)).toEqual(['Go', 'Done']);
  expect(next.conversation).toEqual(first.conversation);
  expect((await messagesOf(next.conversation)).map(({ content }) => content)).toEqual([
    'First',
    're First',
    'Go',
    'Done',
  ]);
});
