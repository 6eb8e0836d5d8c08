import { beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import { begin, held } from '../turns/rig.ts';
import { onBothDatabases, type RunRig, startAgent } from './rig.ts';
import { expectWhole, type RunEvent, saidIn, typesOf } from './watch.ts';

// POST …/messages/agentic: each type of event, in order, with what it tells.

const MS = expect.any(Number);
const ID = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_\\w{24}$`));

function dataOf(events: readonly RunEvent[], type: string): Json[] {
  return events.filter((event) => event.type === type).map(({ data }) => data);
}

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  describe('a run from its beginning to its end', () => {
    const orders = [
      'Find x',
      '/reason Where could it be?',
      '/reason There.',
      '/say I look there',
      '/tool look {"what": "x"}',
      '/tool hold {"what": "events"}',
      '/next',
      '/say It is there',
      '/tool complete_task {"summary": "Found x", "artifacts": ["x.txt"], "nextSteps": ["Open it"]}',
    ].join('\n');
    const steps = { maxSteps: 7, maxBudget: 9000 };
    let events: RunEvent[];
    let conversation: string;
    let messages: Json[];

    beforeAll(async () => {
      const talk = await begin(rig.server, 'demo');
      const watch = await startAgent(talk, orders, steps);
      const { end, carried } = await rig.box.held('events');
      for (const text of ['one\n', 'two\n']) carried.context.progress(text);
      await watch.until('progress', () => watch.events.some(({ data }) => data.text?.endsWith('two\n')) || undefined);
      end('held');
      events = await watch.all();
      conversation = talk.id;
      messages = await talk.messages();
    });

    it('has its events in this order', () => {
      expect(typesOf(events).filter((type, index, all) => type !== 'tool:progress' || all[index - 1] !== type)).toEqual(
        [
          ...['user_message', 'session:start', 'step:start'],
          ...['thinking:start', 'thinking:update', 'thinking:end', 'content'],
          ...['tool:call', 'tool:result', 'tool:call', 'tool:progress', 'tool:result', 'step:complete'],
          ...['step:start', 'content', 'tool:call', 'tool:result', 'step:complete'],
          ...['summary', 'message_saved', 'complete'],
        ],
      );
    });

    it('says what it was asked, and with what it works', () => {
      const [{ data: message }, { data: session }] = events as [RunEvent, RunEvent];
      const [asked] = messages;
      expect(message).toEqual({ id: asked.id, content: orders, compactionApplied: false, messageCount: 1 });
      expect(session).toEqual({
        sessionId: ID('run'),
        conversationId: conversation,
        model: 'demo',
        provider: 'demo',
        ...steps,
        securityMode: 'full',
        tools: ['look', 'change', 'launch', 'fail', 'hold', 'grab', 'complete_task'],
      });
    });

    it('says how its steps begin and end', () => {
      const [first, second] = dataOf(events, 'step:start');
      const [firstDone, secondDone] = dataOf(events, 'step:complete');
      const [, answer, last] = messages;
      expect(first).toEqual({ step: 1, usedBudget: 0, ...steps });
      const afterFirst = answer.tokenUsage.total;
      expect(firstDone).toEqual({
        ...{ step: 1, usedBudget: afterFirst, ...steps },
        ...{ toolCallsInStep: 2, finishReason: 'tool-calls', duration: MS, messageId: answer.id },
      });
      expect(second).toEqual({ step: 2, usedBudget: afterFirst, ...steps });
      expect(secondDone).toEqual({
        ...{ step: 2, usedBudget: afterFirst + last.tokenUsage.total, ...steps },
        ...{ toolCallsInStep: 1, finishReason: 'tool-calls', duration: MS, messageId: last.id },
      });
    });

    it('tells what the model thinks and says, as it is stored', () => {
      expect(dataOf(events, 'thinking:start')).toEqual([{ step: 1 }]);
      expect(dataOf(events, 'thinking:end')).toEqual([{ step: 1, duration: MS }]);
      const [, answer, last] = messages;
      expect([saidIn(events, 1), saidIn(events, 1, 'thinking:update')]).toEqual([answer.content, answer.reasoning]);
      expect([saidIn(events, 1), saidIn(events, 1, 'thinking:update')]).toEqual([
        'I look there',
        'Where could it be?There.',
      ]);
      expect(saidIn(events, 2)).toBe(last.content);
      for (const data of dataOf(events, 'content')) expect(data).toEqual({ step: MS, text: expect.any(String) });
    });

    it('tells of its calls, also under the short names', () => {
      const [look, hold, done] = messages.flatMap(({ toolCalls }) => toolCalls);
      const call = ({ id, name }: Json, step: number, given: object) => {
        return { toolCallId: id, name, arguments: given, step, id, args: given };
      };
      expect(dataOf(events, 'tool:call')).toEqual([
        call(look, 1, { what: 'x' }),
        call(hold, 1, { what: 'events' }),
        call(done, 2, { summary: 'Found x', artifacts: ['x.txt'], nextSteps: ['Open it'] }),
      ]);
      const result = ({ id, name, duration }: Json, text: string) => {
        return { toolCallId: id, name, result: text, status: 'success', duration };
      };
      expect(dataOf(events, 'tool:result')).toEqual([
        result(look, 'saw x'),
        result(hold, 'held'),
        result(done, 'The work has ended.'),
      ]);
      expect(hold.duration).toEqual(MS);
      const progress = dataOf(events, 'tool:progress');
      expect(progress.map(({ text }) => text).join('')).toBe('one\ntwo\n');
      for (const data of progress) expect(data).toEqual({ toolCallId: hold.id, text: expect.any(String) });
    });

    it('ends with the summary, the message and the totals', async () => {
      const [summary, saved, complete] = events.slice(-3).map(({ data }) => data);
      const last = messages.at(-1);
      const usage = messages.reduce(
        (sum, { tokenUsage }) => ({
          input: sum.input + (tokenUsage?.prompt ?? 0),
          output: sum.output + (tokenUsage?.completion ?? 0),
        }),
        { input: 0, output: 0 },
      );
      expect(summary).toEqual({ summary: 'Found x', artifacts: ['x.txt'], nextSteps: ['Open it'] });
      expect(saved).toEqual({ id: last.id });
      expect(complete).toEqual({
        totalTokens: usage.input + usage.output,
        inputTokens: usage.input,
        outputTokens: usage.output,
        cost: null,
        model: 'demo',
        provider: 'demo',
        totalSteps: 2,
        stopReason: 'completed',
        toolCalls: messages.flatMap(({ toolCalls }) => toolCalls),
      });
      const run = await rig.run(dataOf(events, 'session:start')[0].sessionId);
      expect(run).toMatchObject({
        ...{ status: 'completed', stopReason: 'completed', error: null, kind: 'agent', attempts: 1, steps: 2 },
        ...{
          maxSteps: 7,
          maxBudget: 9000,
          messageId: last.id,
          lastEventId: events.length,
          conversationId: conversation,
        },
        ...{ usage: { totalTokens: complete.totalTokens }, toolCalls: complete.toolCalls, approvals: [] },
      });
    });
  });

  it('what a model says only with complete_task is its reply', async () => {
    const done = ['complete_task', { summary: 'Nothing to do' }] as [string, object];
    const { talk, watch } = await rig.agent([[done]]);
    const events = await watch.all();
    const last = (await talk.messages()).at(-1);
    expect(last).toMatchObject({ role: 'assistant', content: 'Nothing to do', toolCalls: [], status: 'complete' });
    expect(events.at(-2)?.data).toEqual({ id: last.id });
    expect(events.at(-3)?.data).toEqual({ summary: 'Nothing to do', artifacts: [], nextSteps: [] });
  });

  it('a long result is whole where it comes, and short in the last event', async () => {
    const what = `${'long '.repeat(2000)}end`;
    const { watch } = await rig.agent([[['look', { what }]], 'Done']);
    const events = await watch.all();
    expect(dataOf(events, 'tool:result')[0].result).toBe(`saw ${what}`);
    const [{ result }] = events.at(-1)?.data.toolCalls ?? [];
    expect(result.length).toBeLessThan(3000);
    expect(result).toMatch(/^saw long [\s\S]*characters left out[\s\S]*long end$/);
    expect((await rig.run(await watch.runId())).toolCalls[0].result).toBe(`saw ${what}`);
  });

  it('without thinking nothing is told of it, but it is kept', async () => {
    const talk = await begin(rig.server, 'demo');
    const watch = await startAgent(talk, '/reason Hm\n/say Well', { showThinking: false });
    const events = await watch.all();
    expect(events.filter(({ type }) => type.startsWith('thinking'))).toEqual([]);
    expect(saidIn(events, 1)).toBe('Well');
    expect((await talk.messages())[1]).toMatchObject({ content: 'Well', reasoning: 'Hm' });
  });

  it('any text comes as it is, in events as in messages', async () => {
    const pieces = [
      'NUL \u0000',
      ' half \ud83d',
      '\udc4d',
      ' lone \udc00 ',
      '\n\ndata: {}\n\nid: 7\n',
      '\u2028\r\n:',
      '🏁',
    ];
    const { talk, watch, model } = await rig.agent([held]);
    const call = await model.call(1);
    for (const piece of pieces) call.piece(piece);
    call.end();
    const events = await watch.all();
    expect(saidIn(events, 1)).toBe(pieces.join(''));
    expect((await talk.messages())[1].content).toBe(pieces.join(''));
    const again = await rig.watch(await watch.runId());
    expect((await again.all()).map(({ data }) => data)).toEqual(events.map(({ data }) => data));
  });

  it('each event is sent when it happens, and was stored before', async () => {
    const { watch, model } = await rig.agent([held]);
    const call = await model.call(1);
    await watch.seen('step:start');
    expect(watch.events.map(({ type }) => type)).toEqual(['user_message', 'session:start', 'step:start']);
    for (const piece of ['Once ', 'upon ', 'a time']) {
      call.piece(piece);
      const { id } = await watch.seen('content', ({ text }) => text === piece);
      expect((await rig.run(await watch.runId())).lastEventId).toBe(id);
    }
    call.end();
    await watch.all();
  });

  it('a hundred thousand characters come through', async () => {
    const { watch, model, talk } = await rig.agent([held]);
    const call = await model.call(1);
    const word = 'word '.repeat(200);
    for (let i = 0; i < 100; i++) call.piece(word);
    call.end();
    const events = await watch.all();
    expect(saidIn(events, 1)).toBe(word.repeat(100));
    expect((await talk.messages())[1].content).toBe(word.repeat(100));
  });

  it('twenty runs side by side do not mix', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const say = `run ${index} `.repeat(20);
        const talk = await begin(rig.server, 'demo');
        const watch = await startAgent(
          talk,
          `/say ${say}\n/tool look {"what": "of ${index}"}\n/next\n/say end ${index}`,
        );
        return { index, say, events: await watch.all() };
      }),
    );
    for (const { index, say, events } of all) {
      expectWhole(events);
      expect([saidIn(events, 1), saidIn(events, 2)]).toEqual([say.trimEnd(), `end ${index}`]);
      expect(dataOf(events, 'tool:result').map(({ result }) => result)).toEqual([`saw of ${index}`]);
    }
  });
});
