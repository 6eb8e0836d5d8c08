import OpenAI, { NotFoundError } from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, RunRig } from '../runs/rig.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { held } from '../turns/rig.ts';

let postgres: PostgresServer;
let rig: RunRig;
let here: OpenAI;
let there: OpenAI;

beforeAll(async () => {
  postgres = await startPostgres();
  rig = await RunRig.start(await postgres.newDatabase(), { PROFCLAW_SECRET_KEY: 'ab'.repeat(32) });
  const other = await rig.another();
  const { secret: apiKey } = await must(
    rig.server.call('/api/keys', { name: 'nodes', scopes: ['chat', 'conversations:read'] }),
  );
  [here, there] = [rig.server, other].map(({ url }) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })) as [
    OpenAI,
    OpenAI,
  ];
});
afterAll(async () => {
  await rig.stop();
  await postgres.stop();
});

it('one in the background is watched, cancelled and deleted on another node', async () => {
  const model = rig.vendor.model(held);
  const begun = await here.responses.create({ model: model.name, input: 'Go', background: true });
  const call = await model.call(1);
  call.piece('Once ');
  const seen: ResponseStreamEvent[] = [];
  for await (const event of await there.responses.retrieve(begun.id, { stream: true })) {
    seen.push(event);
    if (event.type !== 'response.output_text.delta') continue;
    expect(await there.responses.retrieve(begun.id)).toMatchObject({ status: 'in_progress' });
    expect(await there.responses.cancel(begun.id)).toMatchObject({ status: 'cancelled' });
  }
  await expect.poll(() => call.isGone()).toBe(true);
  expect(seen.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'cancelled' } });
  const again: ResponseStreamEvent[] = [];
  for await (const event of await here.responses.retrieve(begun.id, { stream: true })) again.push(event);
  expect(again).toEqual(seen);
  await there.responses.delete(begun.id);
  await expect(here.responses.retrieve(begun.id)).rejects.toBeInstanceOf(NotFoundError);
});

it('of two that go on from the same one on two nodes, one does so in a copy', async () => {
  const model = rig.vendor.model();
  const first = await here.responses.create({ model: model.name, input: 'One' });
  const both = await Promise.all(
    [here, there].map((client) =>
      client.responses.create({ model: model.name, input: 'Two', previous_response_id: first.id }),
    ),
  );
  const ids = both.map(({ conversation }) => conversation?.id);
  expect(new Set(ids).size).toBe(2);
  expect(ids).toContain(first.conversation?.id);
});
