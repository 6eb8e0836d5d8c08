import { beforeAll, describe, expect, it } from 'vitest';
import { issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import type { Call } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, story, withTools } from './rig.ts';

// POST …/messages/with-tools: the model is asked again with the results, until it stops.

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** A model that calls `look` with something new each time, for ever: it does not care what it may. */
  const curious = (): Reply[] => Array.from({ length: 9 }, (_, index): Reply => [['look', { what: `place ${index}` }]]);
  /** The same, but it stops when it may not call anything. */
  const polite = (): Reply[] =>
    curious().map(
      (calls, index) => (call: Call) =>
        mayCall(call) ? answerWith(call, calls, index) : call.answer(`I saw ${index} places`),
    );

  function answerWith(call: Call, calls: Reply, index: number): void {
    const [[name, given]] = calls as [[string, object]];
    const id = `c${index}`;
    call.answer({
      content: '',
      tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: JSON.stringify(given) } }],
    });
  }

  const mayCall = ({ body }: Call): boolean => body.tools !== undefined && body.tool_choice !== 'none';
  const offered = ({ body }: Call): string[] => (body.tools ?? []).map((tool: Json) => tool.function.name);
  const carried = (from: number): string[] => rig.box.lines().slice(from);

  it('answers with the messages, the calls and what they took', async () => {
    const { talk } = await rig.talk({ text: 'I look', calls: [['look', { what: 'x' }]] }, 'There it is');
    const answer = await withTools(talk, 'Where is x?');
    expect(answer.status).toBe(200);
    const [asked, looked, last] = await talk.messages();
    expect(answer.body).toEqual({
      userMessage: asked,
      assistantMessage: last,
      usage: { promptTokens: 14, completionTokens: 6, totalTokens: 20, cost: null },
      compaction: null,
      toolCalls: looked.toolCalls,
      pendingApprovals: [],
      finishReason: 'stop',
      runId: expect.stringMatching(/^run_/),
    });
    expect(looked.toolCalls).toEqual([
      {
        ...{ id: expect.any(String), name: 'look', arguments: { what: 'x' } },
        ...{ result: 'saw x', status: 'success', duration: expect.any(Number) },
      },
    ]);
    expect(await story(talk)).toEqual([
      'complete user: Where is x?',
      'complete assistant: I look [look success saw x]',
      'complete assistant: There it is',
    ]);
  });

  it('sends the results back, each after its call', async () => {
    const calls: Reply = [
      ['look', { what: 'a' }],
      ['fail', { what: 'b' }],
    ];
    const { talk, model } = await rig.talk(calls, 'Well');
    await must(withTools(talk, 'Go'));
    const [first, second] = model.calls[1]!.body.messages.slice(-3)[0].tool_calls;
    expect(model.calls[1]!.body.messages.slice(-2)).toEqual([
      {
        role: 'tool',
        tool_call_id: first.id,
        content: expect.stringMatching(/^<tool-data-(\w+)>\nsaw a\n<\/tool-data-\1>$/),
      },
      { role: 'tool', tool_call_id: second.id, content: expect.stringMatching(/\nno b\n/) },
    ]);
  });

  it('what was done is the history of the next message', async () => {
    const { talk, model } = await rig.talk([['look', { what: 'a' }]], 'Seen');
    await must(withTools(talk, 'Go'));
    await must(talk.send('And?'));
    const { said } = model.calls[2]!;
    expect(said.map((line) => line.replace(/call call-\d+/, 'call'))).toEqual([
      'user: Go',
      'assistant: call',
      'tool: saw a',
      'assistant: Seen',
      'user: And?',
    ]);
  });

  describe('round trips', () => {
    it.each([1, 2, 3, 5, undefined])('at most %s, then once without calls', async (maxRoundtrips) => {
      const most = maxRoundtrips ?? 5;
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk(...polite());
      const answer = await must(withTools(talk, 'Go', maxRoundtrips === undefined ? {} : { maxRoundtrips }));
      expect(model.calls.map(mayCall)).toEqual([...Array.from({ length: most }, () => true), false]);
      expect(carried(from)).toHaveLength(most);
      expect(answer).toMatchObject({ finishReason: 'stop', assistantMessage: { content: `I saw ${most} places` } });
      expect(answer.toolCalls).toHaveLength(most);
      expect(await rig.run(answer.runId)).toMatchObject({ status: 'completed', steps: most + 1, maxSteps: most });
    });

    it('tools are offered all the same, so that the history is one that its provider takes', async () => {
      const { talk, model } = await rig.talk(...polite());
      await must(withTools(talk, 'Go', { maxRoundtrips: 1 }));
      expect(offered(model.calls[1]!)).toEqual(offered(model.calls[0]!));
    });

    it('what a model calls although it may not is not carried out, and ends all the same', async () => {
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk(...curious());
      const answer = await must(withTools(talk, 'Go', { maxRoundtrips: 2 }));
      expect(model.calls).toHaveLength(3);
      expect(carried(from)).toHaveLength(2);
      expect(answer.finishReason).toBe('stop');
      // Whether it is told of the last one or not: nothing is left open.
      for (const { status } of answer.toolCalls) expect(['success', 'cancelled']).toContain(status);
      const events = await (await rig.watch(answer.runId)).all();
      expect(events.at(-1)?.type).toBe('complete');
    });

    it('three equal calls are enough: then it must answer', async () => {
      const from = rig.box.carried.length;
      const same: Reply = [['look', { what: 'same' }]];
      const { talk, model } = await rig.talk(same, same, same, 'Nothing new');
      const answer = await must(withTools(talk, 'Go'));
      expect(model.calls.map(mayCall)).toEqual([true, true, true, false]);
      expect(carried(from)).toEqual(['look: same', 'look: same', 'look: same']);
      expect(answer.assistantMessage.content).toBe('Nothing new');
    });

    it('also if it does not', async () => {
      const from = rig.box.carried.length;
      const same: Reply = [['look', { what: 'same' }]];
      const { talk, model } = await rig.talk(same, same, same, same, same, same, same);
      const answer = await must(withTools(talk, 'Go'));
      expect(model.calls).toHaveLength(4);
      expect(carried(from)).toHaveLength(3);
      expect(answer.finishReason).toBe('stop');
    });

    it.each([0, 6, 1.5, '3'])('not %s', async (maxRoundtrips) => {
      const { talk } = await rig.talk();
      expect(issuePaths(await withTools(talk, 'Go', { maxRoundtrips }))).toEqual(['maxRoundtrips']);
    });
  });

  describe('which tools', () => {
    it('are offered: all, some in their own order and once, or none', async () => {
      const { talk, model } = await rig.talk();
      await must(withTools(talk, 'All'));
      await must(withTools(talk, 'Some', { tools: ['launch', 'look', 'look'] }));
      await must(withTools(talk, 'None', { tools: [] }));
      await must(withTools(talk, 'Off', { enableTools: false }));
      await must(withTools(talk, 'Off, whatever else', { enableTools: false, tools: ['look'] }));
      await must(withTools(talk, 'Denied', { securityMode: 'deny' }));
      const all = ['look', 'change', 'launch', 'fail', 'hold', 'grab', 'complete_task'];
      expect(model.calls.map(offered)).toEqual([all, ['look', 'launch'], [], [], [], []]);
      for (const { body } of model.calls.slice(2)) expect(body).not.toHaveProperty('tools');
    });

    it('there must be: all that are not are named, with the nearest that is', async () => {
      const { talk, model } = await rig.talk();
      const answer = await withTools(talk, 'Go', { tools: ['lok', 'look', 'quite_another'] });
      expect(issuePaths(answer)).toEqual(['tools.0', 'tools.2']);
      const [first, second] = answer.body.details.issues;
      expect(first.message).toBe('There is no tool "lok"; did you mean "look"?');
      expect(second.message).toBe('There is no tool "quite_another"; GET /api/chat/tools lists them');
      expect(model.calls).toEqual([]);
      expect(await talk.messages()).toEqual([]);
    });

    it('the model may call: others are refused with the nearest, which it reads', async () => {
      const from = rig.box.carried.length;
      const calls: Reply = [
        ['lock', { what: 'a' }],
        ['launch', { what: 'b' }],
      ];
      const { talk, model } = await rig.talk(calls, 'Pity');
      const answer = await must(withTools(talk, 'Go', { tools: ['look'], securityMode: 'full' }));
      expect(answer.toolCalls.map(({ status, result }: Json) => [status, result])).toEqual([
        ['error', 'There is no tool "lock". Did you mean look?'],
        ['error', expect.stringMatching(/^There is no tool "launch"\./)],
      ]);
      expect(model.calls[1]!.said.slice(-2)).toEqual(answer.toolCalls.map(({ result }: Json) => `tool: ${result}`));
      expect(carried(from)).toEqual([]);
    });
  });

  describe('arguments', () => {
    it.each<[string, object, RegExp]>([
      ['of the wrong type', { what: 1 }, /^The arguments do not fit: what: .*string/],
      ['that are missing', {}, /^The arguments do not fit: what: /],
      ['that are too many', { what: 'x', colour: 'red' }, /^The arguments do not fit: .*colour/],
      ['with several faults at once', { what: '', colour: 'red' }, /what: .*; .*colour|colour.*; what: /],
    ])('%s are the call’s error, which the model reads', async (_, given, words) => {
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk([['look', given]], 'Oh');
      const answer = await must(withTools(talk, 'Go'));
      expect(answer.toolCalls[0]).toMatchObject({
        arguments: given,
        status: 'error',
        result: expect.stringMatching(words),
      });
      expect(model.calls[1]!.said.at(-1)).toMatch(/^tool: The arguments do not fit/);
      expect(carried(from)).toEqual([]);
    });

    it('that need an approval are checked before anybody is asked', async () => {
      const { talk } = await rig.talk([['launch', { what: 1 }]], 'Oh');
      const answer = await must(withTools(talk, 'Go'));
      expect(answer).toMatchObject({ pendingApprovals: [], finishReason: 'stop', toolCalls: [{ status: 'error' }] });
    });

    it.each(['{"what": ', '[1]', '"x"'])('that are no JSON object: %s', async (text) => {
      const from = rig.box.carried.length;
      const odd = (call: Call): void => {
        const called = { id: 'odd', type: 'function', function: { name: 'look', arguments: text } };
        call.answer({ content: '', tool_calls: [{ index: 0, ...called }] });
      };
      const { talk } = await rig.talk(odd, 'Oh');
      const answer = await must(withTools(talk, 'Go'));
      expect(answer.toolCalls[0]).toMatchObject({ status: 'error', result: expect.stringMatching(/JSON object/) });
      expect(carried(from)).toEqual([]);
    });
  });

  it('of too many calls in one answer the first are carried out, and the others refused', async () => {
    const from = rig.box.carried.length;
    const calls: Reply = Array.from({ length: 140 }, (_, index) => ['look', { what: `call ${index}` }]);
    const { talk, model } = await rig.talk(calls, 'Many');
    const answer = await must(withTools(talk, 'Go'));
    const statuses = answer.toolCalls.map(({ status }: Json) => status);
    expect(statuses).toEqual([...Array(128).fill('success'), ...Array(12).fill('error')]);
    expect(answer.toolCalls.at(-1).result).toMatch(/Only the first 128 calls/);
    expect(carried(from)).toHaveLength(128);
    expect(model.calls[1]!.said.filter((line) => line.startsWith('tool: '))).toHaveLength(140);
  });

  it('calls of two answers with one id are told apart', async () => {
    const again = (what: string) => (call: Call) => {
      const called = {
        id: 'call_0',
        type: 'function',
        function: { name: 'look', arguments: JSON.stringify({ what }) },
      };
      call.answer({ content: '', tool_calls: [{ index: 0, ...called }] });
    };
    const { talk, model } = await rig.talk(again('a'), again('b'), 'Both');
    const answer = await must(withTools(talk, 'Go'));
    expect(answer.toolCalls.map(({ result }: Json) => result)).toEqual(['saw a', 'saw b']);
    expect(new Set(answer.toolCalls.map(({ id }: Json) => id)).size).toBe(2);
    const last = model.calls[2]!.body.messages;
    const called = last.flatMap(({ tool_calls = [] }: Json) => tool_calls.map(({ id }: Json) => id));
    const answered = last.flatMap(({ tool_call_id = [] }: Json) => tool_call_id);
    expect(called).toEqual(answered);
    expect(new Set(called).size).toBe(2);
    await (await rig.watch(answer.runId)).all();
  });

  it('an unknown conversation, model or field is said before anything is kept', async () => {
    const { talk, model } = await rig.talk();
    const path = '/api/chat/conversations/conv_x/messages/with-tools';
    expect((await rig.server.call(path, { content: 'x' })).body.code).toBe('not_found');
    expect((await withTools(talk, 'x', { model: 'no-such-model' })).body.code).toBe('model_not_found');
    const bad = await withTools(talk, '', { securityMode: 'odd', temprature: 1, temperature: 9, tools: 'look' });
    expect(issuePaths(bad).sort()).toEqual(['content', 'securityMode', 'temperature', 'temprature', 'tools']);
    expect([await talk.messages(), model.calls]).toEqual([[], []]);
  });
});
