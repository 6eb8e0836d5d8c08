import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { keyed, newKey } from '../contract/keyed.ts';
import type { Json, TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { held, type Talk } from '../turns/rig.ts';
import { type ChildServer, inOwnProcess, startChild } from './crash-rig.ts';
import { notesIn, openGate } from './crash-tools.ts';
import { must, type Reply, RunRig, type StartServer, startAgent, withTools } from './rig.ts';
import { saidIn, Watch } from './watch.ts';

// Several servers on one PostgreSQL: a run is the same from each of them, whichever carries it out.

const SECRET = { PROFCLAW_SECRET_KEY: 'ab'.repeat(32) };
const LAUNCH: Reply = [['launch', { what: 'x' }]];

let postgres: PostgresServer;
let rig: RunRig;
let other: TestServer;

beforeAll(async () => {
  postgres = await startPostgres();
  rig = await RunRig.start(await postgres.newDatabase(), SECRET);
  other = await rig.another();
});
afterAll(async () => {
  await rig.stop();
  await postgres.stop();
});

/** A rig of one test alone. */
async function startOwn(databaseUrl: string, startServer?: StartServer): Promise<RunRig> {
  const own = await RunRig.start(databaseUrl, SECRET, startServer);
  onTestFinished(() => own.stop());
  return own;
}

/** The same conversation, from the other server. */
const fromOther = (talk: Talk): Talk => ({ ...talk, server: other });

describe('from the other server', () => {
  it('a run is watched live', async () => {
    const { watch, model } = await rig.agent([held]);
    const elsewhere = await rig.watch(await watch.runId(), undefined, {}, other);
    const call = await model.call(1);
    for (const piece of ['Once ', 'upon ', 'a time']) {
      call.piece(piece);
      await elsewhere.seen('content', ({ text }) => text === piece);
    }
    call.end();
    expect(await elsewhere.all()).toEqual(await watch.all());
  });

  it('a run is cancelled: its call of the model, or its tool, ends at the server that has it', async () => {
    const { watch, model } = await rig.agent([held]);
    const call = await model.call(1);
    await must(rig.cancel(await watch.runId(), other));
    await expect.poll(() => call.isGone()).toBe(true);
    const what = randomUUID();
    const second = await rig.agent([[['hold', { what }]]]);
    const { carried } = await rig.box.held(what);
    await must(rig.cancel(await second.watch.runId(), other));
    await expect.poll(() => carried.context.signal.aborted).toBe(true);
    for (const one of [watch, second.watch]) expect((await one.all()).at(-1)?.data.code).toBe('CANCELLED');
  });

  it('a question is answered', async () => {
    const { watch } = await rig.agent([LAUNCH, 'It flies'], { securityMode: 'ask' });
    const { data: asked } = await watch.seen('approval:required');
    const answer = await must(rig.approve(asked, 'allow-once', {}, other));
    expect(answer).toMatchObject({ result: 'launched x', message: { content: 'It flies' } });
    await watch.all();
  });

  it('of two who answer at once, one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const { talk } = await rig.talk(LAUNCH, 'Done');
      const { pendingApprovals } = await must(withTools(talk, 'Go'));
      const [asked] = pendingApprovals;
      const answers = await Promise.all([
        rig.approve(asked, 'allow-once'),
        rig.approve(asked, 'deny', {}, other),
        rig.approve(asked, 'deny'),
        rig.approve(asked, 'allow-once', {}, other),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    }
  });

  it('a run hears what is said to it', async () => {
    const what = randomUUID();
    const { watch, model } = await rig.agent([[['hold', { what }]], 'Yes']);
    const { end } = await rig.box.held(what);
    await must(other.call(`/api/chat/runs/${await watch.runId()}/messages`, { content: 'From afar' }));
    await watch.seen('user_message', ({ content }) => content === 'From afar');
    end();
    await watch.all();
    expect(model.calls[1]!.said.at(-1)).toBe('user: From afar');
  });

  it('a conversation whose run waits takes no message', async () => {
    const { talk } = await rig.talk(LAUNCH);
    const { runId } = await must(withTools(talk, 'Go'));
    const refused = await withTools(fromOther(talk), 'And?');
    expectError(refused, 409, 'conflict');
    expect(refused.body.details.runId).toBe(runId);
    await must(rig.cancel(runId, other));
    await must(withTools(fromOther(talk), 'And?'));
  });

  it('one key makes one run', async () => {
    const { talk, model } = await rig.talk([['look', { what: 'x' }]], 'Done');
    const options = keyed(newKey(), { content: 'Go' });
    const path = `${talk.path}/messages/with-tools`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => must((index % 2 ? other : rig.server).call(path, undefined, options))),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(model.calls).toHaveLength(2);
  });

  it('the conversation of a run is deleted', async () => {
    const { watch, model, talk } = await rig.agent([held]);
    const call = await model.call(1);
    await must(other.call(talk.path, undefined, { method: 'DELETE' }));
    await expect.poll(() => call.isGone()).toBe(true);
    await watch.over;
  });
});

it('forty runs on both servers at once are all carried out, once', async () => {
  const runs = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const { talk, model } = await rig.talk([['look', { what: `forty ${index}` }]], `Done ${index}`);
      return { model, watch: await startAgent(index % 2 ? fromOther(talk) : talk, 'Go') };
    }),
  );
  for (const [index, { model, watch }] of runs.entries()) {
    expect(saidIn(await watch.all(), 2)).toBe(`Done ${index}`);
    expect(model.calls).toHaveLength(2);
  }
  expect(rig.box.lines().filter((line) => line.includes('forty'))).toHaveLength(40);
});

it('connections that the database ends hurt no run', async () => {
  const url = await postgres.newDatabase();
  const own = await startOwn(url);
  const { watch, model, talk } = await own.agent([held, held]);
  const call = await model.call(1);
  call.piece('Once ');
  await watch.seen('content');
  await postgres.endConnections(url);
  call.piece('upon a time');
  call.answer({ content: '', tool_calls: [] });
  await watch.over.catch(() => undefined);
  const all = watch.isOver && watch.events.at(-1)?.type === 'complete' ? watch : await own.watch(await watch.runId());
  const events = await all.all();
  expect(saidIn(events, 1)).toBe('Once upon a time');
  expect((await talk.messages()).at(-1).content).toBe('Once upon a time');
});

it('a server that was frozen and comes back to life cannot write to a run that another one has taken', async () => {
  const children: ChildServer[] = [];
  const own = await startOwn(await postgres.newDatabase(), async (environment, home) => {
    const child = await startChild(environment, home);
    children.push(child);
    return child;
  });
  const [frozen] = children;
  const { watch, model, talk } = await own.agent([held, held]);
  const old = await model.call(1);
  old.piece('Once ');
  await watch.seen('content');
  const next = await own.another();
  frozen?.signal('SIGSTOP');
  const call = await model.call(2);
  const again = await Watch.open(`${next.url}/api/chat/runs/${await watch.runId()}/events`);
  call.piece('Twice ');
  await again.seen('content', ({ text }) => text === 'Twice ');
  frozen?.signal('SIGCONT');
  old.piece('upon a time');
  await expect.poll(() => old.isGone()).toBe(true);
  call.piece('as good');
  call.end();
  const events = await again.all();
  expect(saidIn(events, 1)).toBe('Twice as good');
  expect(JSON.stringify(events)).not.toContain('upon a time');
  const { messages } = await must(next.call(talk.path));
  expect(messages.map(({ content }: Json) => content)).toEqual(['Begin', 'Twice as good']);
  // Whoever has watched it there sees the same.
  await watch.over;
  expect(watch.events).toEqual(events);
});

describe('a server that dies', () => {
  it('leaves its runs to the others, who go on where it was', async () => {
    const own = await startOwn(await postgres.newDatabase(), inOwnProcess);
    const survivor = await own.another();
    // Everything is carried out by the one that is there alone.
    await survivor.stop();
    const tool = await own.agent([[['work_idempotent', { id: 'a', hold: 'before' }]], 'Done']);
    const stream = await own.agent([held, 'At last']);
    (await stream.model.call(1)).piece('Once');
    await stream.watch.seen('content');
    await expect.poll(() => notesIn(own.workspace).length).toBe(1);
    const next = await own.another();
    await own.stopServer();
    openGate(own.workspace);
    for (const { watch } of [tool, stream]) {
      await watch.over.catch(() => undefined);
      const after = watch.events.at(-1)?.id ?? 0;
      const again = await Watch.open(`${next.url}/api/chat/runs/${await watch.runId()}/events?after=${after}`);
      await again.over;
      const events = [...watch.events, ...again.events];
      expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)?.type).toBe('complete');
      if (watch === stream.watch) expect(saidIn(events, 1)).toBe('At last');
    }
    expect(notesIn(own.workspace).map(({ what }) => what)).toEqual(['begun', 'begun', 'done']);
  });
});
