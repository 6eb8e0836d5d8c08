import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lines } from '../../src/conversations/lines.ts';
import { RunningRequests } from '../../src/http/running.ts';
import { HttpClient } from '../../src/providers/transport/client.ts';
import { expectError } from '../contract/helpers.ts';
import { cleanUp, dial, start } from '../process/program.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { begin, echo, held, postUnread, rawPost, startVendor, talk, tempHome, turnsOf, type Vendor } from './rig.ts';

// A server that must stop lets turns end, whether or not anybody listens; what it cannot end it marks, to be tried again.

/** Longer than a test may take: who waits for it never comes back. */
const NEVER = { PROFCLAW_STOP_TIMEOUT: '1000' };
const SOON = { PROFCLAW_STOP_TIMEOUT: '0.3' };

let vendor: Vendor;
let folder: ReturnType<typeof tempHome>;

beforeAll(async () => {
  vendor = await startVendor();
});
beforeEach(() => {
  folder = tempHome();
});
afterEach(() => {
  vi.restoreAllMocks();
  folder.remove();
});
afterAll(async () => {
  await cleanUp();
  await vendor.stop();
});

const open = (more: Record<string, string> = {}) => startTestServer({ ...vendor.environment, ...more }, folder.home);

/** Stops a server; `isOver` tells whether it has. */
function stop(server: TestServer): { over: Promise<void>; isOver: () => boolean } {
  let isOver = false;
  const over = server.stop().then(() => {
    isOver = true;
  });
  return { over, isOver: () => isOver };
}

/** A message whose caller has gone while the model was at work. */
async function leftBehind(server: TestServer, path: string, call: () => Promise<unknown>): Promise<void> {
  const requests = vi.spyOn(RunningRequests.prototype, 'begin');
  const socket = await postUnread(server.url, `${path}/messages`, { content: 'first' });
  await call();
  const { signal } = requests.mock.results[0]!.value;
  socket.destroy();
  await expect.poll(() => signal.aborted).toBe(true);
  requests.mockRestore();
}

describe('a stop', () => {
  it('waits for a turn whose caller has gone', async () => {
    const server = await open(NEVER);
    const model = vendor.model(held);
    const { id, path } = await begin(server, model);
    await leftBehind(server, path, () => model.call(1));
    const { over, isOver } = stop(server);
    await expect(fetch(server.url)).rejects.toThrow();
    expect([isOver(), model.calls[0]!.isGone()]).toEqual([false, false]);
    echo(model.calls[0]!);
    await over;
    const again = await open();
    expect(await talk(again, id).lines()).toEqual(turnsOf(['first'], 'complete '));
    await again.stop();
  });

  it('waits for one who listens, and for those who wait in line', async () => {
    const server = await open(NEVER);
    const model = vendor.model(held);
    const here = await begin(server, model);
    const line = vi.spyOn(Lines.prototype, 'enter');
    const sent = ['first', 'second', 'third'].map(async (word, i) => {
      await expect.poll(() => line.mock.calls.length).toBe(i);
      return here.send(word);
    });
    await model.call(1);
    await expect.poll(() => line.mock.calls.length).toBe(3);
    const { over } = stop(server);
    for (const number of [1, 2, 3]) echo(await model.call(number));
    expect((await Promise.all(sent)).map(({ status, body }) => [status, body.assistantMessage?.content])).toEqual(
      ['first', 'second', 'third'].map((word) => [200, `re ${word}`]),
    );
    await over;
    const again = await open();
    expect(await talk(again, here.id).lines()).toEqual(turnsOf(['first', 'second', 'third'], 'complete '));
    await again.stop();
  });

  it('waits for one whose request was still coming', async () => {
    const server = await open(NEVER);
    const model = vendor.model(held);
    const talks = [await begin(server, model), await begin(server, model)];
    const first = talks[0]!.send('first');
    await model.call(1);
    const requests = vi.spyOn(RunningRequests.prototype, 'begin');
    const bytes = rawPost(server.url, `${talks[1]!.path}/messages`, { content: 'second' }, 'close');
    const line = await dial(server.url);
    line.socket.write(bytes.slice(0, -5));
    await expect.poll(() => requests.mock.calls.length).toBe(1);
    const { over } = stop(server);
    line.socket.write(bytes.slice(-5));
    const call = await model.call(2);
    echo(model.calls[0]!);
    expect((await first).status).toBe(200);
    echo(call);
    await over;
    await line.closed;
    expect(line.text()).toMatch(/^HTTP\/1\.1 200 .*"re second"/s);
  });

  it('waits for a compaction', async () => {
    const server = await open(NEVER);
    let script = echo;
    const model = vendor.model((call) => script(call));
    const here = await begin(server, model);
    for (let i = 0; i < 4; i++) await here.send(`${i} ${'word '.repeat(400)}`);
    script = held;
    const compacting = server.call(`${here.path}/compact`, {});
    const call = await model.call(5);
    const { over } = stop(server);
    await expect(fetch(server.url)).rejects.toThrow();
    call.answer('IN SHORT');
    expect((await compacting).body.compaction).toMatchObject({ summary: 'IN SHORT' });
    await over;
  });

  it('marks a turn that does not end in time, which can be tried again after the next start', async () => {
    const server = await open(SOON);
    const model = vendor.model(held);
    const { id, path } = await begin(server, model);
    await leftBehind(server, path, () => model.call(1));
    const began = performance.now();
    await server.stop();
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(model.calls[0]!.isGone()).toBe(true);
    const again = await open();
    const there = talk(again, id);
    expect(await there.messages()).toMatchObject([{ status: 'failed', error: { code: 'shutting_down' } }]);
    const retry = there.retry();
    const call = await model.call(2);
    expect(call.said).toEqual(['user: first']);
    echo(call);
    expect((await retry).status).toBe(200);
    expect(await there.lines()).toEqual(turnsOf(['first'], 'complete '));
    await again.stop();
  });

  it.each([false, true])('marks one that begins while others end (its caller has gone: %s)', async (gone) => {
    const server = await open(SOON);
    const model = vendor.model(held);
    const here = await begin(server, model);
    const line = vi.spyOn(Lines.prototype, 'enter');
    const first = here.send('first');
    await model.call(1);
    const caller = new AbortController();
    const second = here.send('second', {}, { signal: caller.signal });
    const outcome = second.catch(() => undefined);
    await expect.poll(() => line.mock.calls.length).toBe(2);
    const { over } = stop(server);
    echo(model.calls[0]!);
    expect((await first).status).toBe(200);
    await model.call(2);
    if (gone) caller.abort();
    await over;
    expect(model.calls[1]!.isGone()).toBe(true);
    const answer = await outcome;
    if (!gone) expectError(answer!, 503, 'shutting_down');
    const again = await open();
    expect(await talk(again, here.id).lines()).toEqual([...turnsOf(['first'], 'complete '), 'failed user: second']);
    expect((await talk(again, here.id).messages())[2].error.code).toBe('shutting_down');
    await again.stop();
  });

  it('tells those who listen, and stores nothing of those who wait', async () => {
    const server = await open(SOON);
    const model = vendor.model(held);
    const talks = [await begin(server, model), await begin(server, model)];
    const whole = talks[0]!.send('first');
    await model.call(1);
    const stream = talks[1]!.stream('first');
    (await model.call(2)).piece('Hello');
    const line = vi.spyOn(Lines.prototype, 'enter');
    const waiting = talks[0]!.send('second');
    await expect.poll(() => line.mock.calls.length).toBe(1);
    await server.stop();
    const answer = await whole;
    expectError(answer, 503, 'shutting_down');
    const { last } = await stream;
    expect(last).toMatchObject({ code: 'shutting_down', done: true, partial: true });
    expectError(await waiting, 503, 'shutting_down');
    expect(model.calls).toHaveLength(2);
    const again = await open();
    const stored = await Promise.all(talks.map(({ id }) => talk(again, id).messages()));
    expect(stored).toMatchObject([[{ content: 'first', status: 'failed' }], [{ content: 'first', status: 'failed' }]]);
    expect([answer.body, last].map(({ details }) => details.messageId)).toEqual(stored.map(([{ id }]) => id));
    await again.stop();
  });

  it('is not held up by a title that does not come', async () => {
    const titles = vendor.model(held);
    const server = await open({ ...SOON, PROFCLAW_TITLE_MODEL: titles.name });
    const { id } = await begin(server, vendor.model());
    await talk(server, id).send('first');
    const call = await titles.call(1);
    const { close } = HttpClient.prototype;
    // The connection is let go of before all of them are closed.
    const closing = vi.spyOn(HttpClient.prototype, 'close').mockImplementation(async function (this: HttpClient) {
      await expect.poll(() => call.isGone()).toBe(true);
      await close.call(this);
    });
    await server.stop();
    expect(closing).toHaveBeenCalled();
    const again = await open();
    expect((await again.call(talk(again, id).path)).body.conversation.title).toBe('first');
    await again.stop();
  });
});

it('the program finishes the turn of a caller who has gone when SIGTERM comes', { timeout: 120_000 }, async () => {
  const model = vendor.model(held);
  const environment = { ...vendor.environment, ...NEVER, PROFCLAW_HOME: folder.home };
  const program = start(environment);
  const url = await program.listening;
  const created = await fetch(`${url}/api/chat/conversations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: model.name }),
  });
  const { id } = ((await created.json()) as { conversation: { id: string } }).conversation;
  const socket = await postUnread(url, `/api/chat/conversations/${id}/messages`, { content: 'first' });
  const call = await model.call(1);
  socket.destroy();
  program.child.kill('SIGTERM');
  await expect.poll(() => program.stderr(), { timeout: 60_000 }).toContain('stopping');
  expect(call.isGone()).toBe(false);
  echo(call);
  expect(await program.ended).toMatchObject({ code: 0 });
  const again = await open();
  expect(await talk(again, id).lines()).toEqual(turnsOf(['first'], 'complete '));
  await again.stop();
});
