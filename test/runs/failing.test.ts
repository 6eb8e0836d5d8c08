import { beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type Call, eventsOf, held } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, story, withTools } from './rig.ts';
import { type RunEvent, saidIn, type Watch } from './watch.ts';

// A provider that fails: what may pass is tried again within its step, what does not ends the run; nothing is lost.

const LOOK: Reply = [['look', { what: 'x' }]];
const LOOKED = ['complete user: Begin', 'complete assistant:  [look success saw x]'];

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  const dataOf = (events: readonly RunEvent[], type: string): Json[] =>
    events.filter((event) => event.type === type).map(({ data }) => data);

  describe('a failure that may pass', () => {
    /** Says something in a call of the model, and breaks off when that has arrived. */
    async function breakOff(call: Call, text: string, watch: Watch): Promise<void> {
      call.piece(text);
      await watch.seen('content', ({ text: said }) => said === text);
      call.cut();
    }

    it('voids what was said in the step, which begins anew', async () => {
      const { watch, model, talk } = await rig.agent([LOOK, held, 'At last']);
      await breakOff(await model.call(2), 'Once upon ', watch);
      const events = await watch.all();
      const name = model.name;
      expect(dataOf(events, 'attempt:reset')).toEqual([
        { step: 2, reason: 'provider_unavailable', message: expect.any(String), from: name, to: name },
      ]);
      expect(events.filter(({ type }) => type === 'content').map(({ data }) => data.text)).toEqual([
        ...['Once upon ', 'At last'],
      ]);
      expect(saidIn(events, 2)).toBe('At last');
      expect(dataOf(events, 'step:start').map(({ step }) => step)).toEqual([1, 2]);
      expect(model.calls[2]!.said).toEqual(model.calls[1]!.said);
      expect(await story(talk)).toEqual([...LOOKED, 'complete assistant: At last']);
      expect(events.at(-1)?.data).toMatchObject({ totalSteps: 2, totalTokens: 20 });
    });

    it('is tried three times, then it is the end; what was done is kept', async () => {
      const { watch, model, talk } = await rig.agent([LOOK, held, held, held]);
      for (const [index, text] of ['a', 'b', 'c'].entries()) await breakOff(await model.call(index + 2), text, watch);
      const events = await watch.all();
      expect(model.calls).toHaveLength(4);
      expect(dataOf(events, 'attempt:reset')).toHaveLength(2);
      expect(events.at(-1)?.data).toEqual({ code: 'provider_unavailable', message: expect.any(String) });
      expect(await story(talk)).toEqual(LOOKED);
      expect(await rig.run(await watch.runId())).toMatchObject({
        ...{ status: 'failed', error: { code: 'provider_unavailable' }, steps: 2, usage: { totalTokens: 10 } },
      });
    });

    it('of nonsense, too', async () => {
      const { watch, model } = await rig.agent([(call) => call.bytes('<html>'), 'Better']);
      const events = await watch.all();
      expect(dataOf(events, 'attempt:reset')).toMatchObject([{ step: 1, reason: 'provider_protocol' }]);
      expect(model.calls).toHaveLength(2);
      expect(saidIn(events, 1)).toBe('Better');
    });

    it('what was called in the voided answer is not carried out', async () => {
      const from = rig.box.carried.length;
      const half = (call: Call): void => {
        const called = { index: 0, id: 'half', type: 'function', function: { name: 'look', arguments: '{"what": "h' } };
        call.bytes(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [called] } }] })}\n\n`);
      };
      const { watch } = await rig.agent([half, 'Better']);
      const events = await watch.all();
      expect(dataOf(events, 'tool:call')).toEqual([]);
      expect(rig.box.carried).toHaveLength(from);
      expect(events.at(-1)?.type).toBe('complete');
    });

    it('in the stream of a message with tools the reset is told', async () => {
      const { talk, model } = await rig.talk(held, 'At last');
      const stream = eventsOf(rig.server, `${talk.path}/messages/with-tools`, { content: 'Go', stream: true });
      const first = stream.next();
      const call = await model.call(1);
      call.piece('Once upon ');
      const events = [(await first).value];
      call.cut();
      for await (const event of stream) events.push(event);
      expect(events.slice(0, -1)).toEqual([
        { content: 'Once upon ' },
        { reset: expect.objectContaining({ step: 1, reason: 'provider_unavailable' }) },
        { content: 'At last' },
      ]);
      expect(events.at(-1)).toMatchObject({ done: true, assistantMessage: { content: 'At last' } });
    });
  });

  describe('a failure that does not pass', () => {
    it.each<[string, number, string, RegExp]>([
      ['a key that is refused', 401, 'provider_auth', /Bad key/],
      ['a request that is refused', 400, 'provider_rejected', /Bad field/],
      ['a model that is not there', 404, 'model_not_found', /./],
    ])('%s in the first step ends it; the message is marked and can be tried again', async (_, status, code, words) => {
      const message = status === 401 ? 'Bad key' : 'Bad field';
      const { watch, model, talk } = await rig.agent([(call) => call.fail(status, message), LOOK, 'Done']);
      const events = await watch.all();
      expect(events.map(({ type }) => type)).toEqual(['user_message', 'session:start', 'step:start', 'error']);
      const error = events.at(-1)?.data;
      expect(error).toEqual({ code, message: expect.stringMatching(words) });
      expect(model.calls).toHaveLength(1);
      const [asked, ...rest] = await talk.messages();
      expect(rest).toEqual([]);
      expect(asked).toMatchObject({ content: 'Begin', status: 'failed', error });
      expect(await rig.run(await watch.runId())).toMatchObject({ status: 'failed', error, messageId: null });
      const again = await must(talk.retry());
      expect(again).toMatchObject({ finishReason: 'stop', userMessage: { id: asked.id, status: 'complete' } });
      expect(await story(talk)).toEqual([...LOOKED, 'complete assistant: Done']);
      expect(model.calls[1]!.said).toEqual(['user: Begin']);
    });

    it('in a later step leaves what was done, which the next message sees', async () => {
      const { watch, model, talk } = await rig.agent([LOOK, (call) => call.fail(401, 'Bad key'), 'I see x']);
      const events = await watch.all();
      expect(events.at(-1)?.data.code).toBe('provider_auth');
      expect(await story(talk)).toEqual(LOOKED);
      expect((await must(talk.send('What do you see?'))).assistantMessage.content).toBe('I see x');
      expect(model.calls[2]!.said.map((line) => line.replace(/call call-\d+/, 'call'))).toEqual([
        ...['user: Begin', 'assistant: call', 'tool: saw x', 'user: What do you see?'],
      ]);
    });

    it('in a later step can be tried again from there', async () => {
      const from = rig.box.carried.length;
      const { watch, model, talk } = await rig.agent([LOOK, (call) => call.fail(401, 'Bad key'), 'I see x']);
      await watch.all();
      const again = await must(talk.retry());
      expect(again).toMatchObject({
        userMessage: null,
        assistantMessage: { content: 'I see x' },
        finishReason: 'stop',
      });
      expect(rig.box.carried).toHaveLength(from + 1);
      expect(model.calls[2]!.said.at(-1)).toBe('tool: saw x');
      expect(await story(talk)).toEqual([...LOOKED, 'complete assistant: I see x']);
      await (await rig.watch(again.runId)).over;
    });

    it('is an HTTP error to a message with tools, which says which run it was', async () => {
      const { talk } = await rig.talk((call) => call.fail(401, 'Bad key'));
      const answer = await withTools(talk, 'Go');
      expectError(answer, 502, 'provider_auth', /Bad key/);
      expect(await rig.run(answer.body.details.runId)).toMatchObject({ status: 'failed', kind: 'tools' });
      expect(await story(talk)).toEqual(['failed user: Go']);
    });

    it('tells nobody the provider’s key', async () => {
      const own = await start({ TOGETHER_API_KEY: 'sk-very-secret-0123456789' });
      const words = 'Incorrect key sk-very-secret-0123456789';
      const { watch, talk } = await own.agent([LOOK, (call) => call.fail(401, words)]);
      await watch.all();
      expect(JSON.stringify([watch.events, await own.run(await watch.runId())])).not.toContain('sk-very-secret');
      const retried = await own.talk((call) => call.fail(401, words));
      expect(JSON.stringify((await withTools(retried.talk, 'Go')).body)).not.toContain('sk-very-secret');
      expect(JSON.stringify(await talk.messages())).not.toContain('sk-very-secret');
    });
  });

  describe('an error that nobody has foreseen', () => {
    /** A tool that does what no tool may: it throws. */
    async function throwing(times: number) {
      const own = await start();
      const look = own.box.tools.find(({ name }) => name === 'look')!;
      const { run } = look;
      let thrown = 0;
      look.run = (given, context) => (thrown++ < times ? Promise.reject(new Error('boom')) : run(given, context));
      return { own, thrown: () => Math.min(thrown, times), ...(await own.agent([LOOK, 'Done'])) };
    }

    it('may pass: the run is taken up again', async () => {
      const { watch, talk, own } = await throwing(2);
      expect((await watch.all()).at(-1)?.type).toBe('complete');
      expect(await story(talk)).toEqual([...LOOKED, 'complete assistant: Done']);
      expect((await own.run(await watch.runId())).attempts).toBe(3);
    });

    it('ends it if it does not, and is told to nobody but the log', async () => {
      const { watch, talk, thrown } = await throwing(1000);
      const events = await watch.all();
      expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'internal' } });
      expect(JSON.stringify(events)).not.toContain('boom');
      expect(thrown()).toBeGreaterThan(2);
      expect(thrown()).toBeLessThan(10);
      expect(await story(talk)).toEqual(['complete user: Begin', expect.stringMatching(/\[look cancelled /)]);
    });
  });

  describe('the next message', () => {
    it('does not see one that failed before it had an answer', async () => {
      const { watch, model, talk } = await rig.agent([(call) => call.fail(400, 'No'), 'Fresh']);
      await watch.all();
      await must(talk.send('Other'));
      expect(model.calls[1]!.said).toEqual(['user: Other']);
      expect(await story(talk)).toEqual(['failed user: Begin', 'complete user: Other', 'complete assistant: Fresh']);
    });

    it('sees a provider’s model that answers nothing as the answer that it is', async () => {
      const { watch, talk } = await rig.agent(['']);
      const events = await watch.all();
      expect(events.at(-1)?.type).toBe('complete');
      expect(await story(talk)).toEqual(['complete user: Begin', 'complete assistant: ']);
    });
  });

  it('a retry has nothing to try again where all went well, or while the run runs', async () => {
    const { watch, talk } = await rig.agent(['Done']);
    await watch.all();
    expectError(await talk.retry(), 409, 'conflict', /nothing to try again/);
    const waiting = await rig.agent([[['launch', { what: 'x' }]]], { securityMode: 'ask' });
    await waiting.watch.seen('waiting');
    expectError(await waiting.talk.retry(), 409, 'conflict', /waits for an approval/);
    const id = await waiting.watch.runId();
    await must(rig.cancel(id));
    const busy = await rig.agent([held]);
    (await busy.model.call(1)).answer();
    await busy.watch.all();
  });
});
