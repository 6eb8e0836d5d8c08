import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAiAnswer, openAiDeltas, openAiStream, sse } from '../../contract/upstream.ts';
import type { Json } from '../../server.ts';
import { call, type Rig, startRig } from './rig.ts';

// Tool calls in every form in which the OpenAI-like vendors send them.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const calls = (...tool_calls: object[]): object => ({ tool_calls });

async function read(model: string, deltas: object[]): Promise<{ calls: Json[]; finishReason: string; text: string }> {
  const { events, body } = await rig.stream(model, { deltas });
  return {
    calls: events.flatMap((event) => (event.toolCall ? [event.toolCall] : [])),
    finishReason: body.finishReason,
    text: events.map((event) => event.content ?? '').join(''),
  };
}

const F1 = { id: 'a', name: 'f', arguments: { n: 1 } };
const G2 = { id: 'b', name: 'g', arguments: { n: 2 } };

describe('pieces of calls', () => {
  it.each<[string, object[], object[]]>([
    ['xai: a whole tool call comes in one chunk', [calls(call('a', 'f', '{"n":1}', 0))], [F1]],
    [
      'many gateways: tool_calls: [] in every delta',
      [{ content: '', tool_calls: [] }, calls(call('a', 'f', '{"n":1}', 0)), { tool_calls: [] }],
      [F1],
    ],
    [
      'names only in the first piece',
      [
        calls(call('a', 'f', '', 0)),
        calls(call(undefined, undefined, '{"n"', 0)),
        calls(call(undefined, undefined, ':1}', 0)),
      ],
      [F1],
    ],
    [
      'ids and names in each',
      [calls(call('a', 'f', '{"n"', 0)), calls(call('a', 'f', ':1}', 0)), calls(call('a', 'f', '', 0))],
      [F1],
    ],
    [
      'names in each, no ids',
      [calls(call('a', 'f', '{"n"', 0)), calls(call(undefined, 'f', ':1}', 0)), calls(call(undefined, 'f', '', 0))],
      [F1],
    ],
    ['a new id in each', [calls(call('a', 'f', '{"n"', 0)), calls(call('x', undefined, ':1}', 0))], [F1]],
    [
      'interleaved',
      [
        calls(call('a', 'f', '{"n"', 0), call('b', 'g', '{"n', 1)),
        calls(call(undefined, undefined, '":2}', 1)),
        calls(call(undefined, undefined, ':1}', 0)),
      ],
      [F1, G2],
    ],
    [
      'index always 0',
      [
        calls(call('a', 'f', '{"n":', 0)),
        calls(call(undefined, undefined, '1}', 0)),
        calls(call('b', 'g', '{"n":', 0)),
        calls(call(undefined, undefined, '2}', 0)),
      ],
      [F1, G2],
    ],
    [
      'no index at all',
      [calls(call('a', 'f', '{"n":')), calls(call(undefined, undefined, '1}')), calls(call('b', 'g', '{"n":2}'))],
      [F1, G2],
    ],
    ['an object instead of text', [calls(call('a', 'f', { n: 1 }, 0))], [F1]],
    ['JSON inside a string', [calls(call('a', 'f', '"{\\"n\\":1}"', 0))], [F1]],
    [
      'the whole call told once more at the end',
      [calls(call('a', 'f', '{"n"', 0)), calls(call('a', undefined, ':1}', 0)), calls(call('a', 'f', '{"n":1}', 0))],
      [F1],
    ],
    [
      'legacy function_call',
      [{ function_call: { name: 'f', arguments: '{"n"' } }, { function_call: { arguments: ':1}' } }],
      [{ ...F1, id: expect.stringMatching(/^call_/) }],
    ],
  ])('%s', async (_case, deltas, wanted) => {
    expect(await read('together/m', deltas)).toEqual({ calls: wanted, finishReason: 'tool-calls', text: '' });
  });

  it('ids repeated: every call gets one of its own', async () => {
    const { calls: made } = await read('together/m', [
      calls(call('a', 'f', '{"n":1}', 0), call('a', 'f', '{"n":2}', 1)),
      calls(call('a', 'f', '{"n":3}', 0)),
    ]);
    expect(made.map((one) => one.arguments)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(new Set(made.map((one) => one.id)).size).toBe(3);
    expect(made[0].id).toBe('a');
  });

  it('ids missing: every call gets one', async () => {
    const { calls: made } = await read('together/m', [
      calls(call(undefined, 'f', '{"n":1}', 0), call(undefined, 'f', '{"n":1}', 0)),
    ]);
    expect(made).toHaveLength(2);
    expect(new Set(made.map((one) => one.id)).size).toBe(2);
  });
});

describe('arguments', () => {
  it.each<[string, unknown]>([
    ['groq: arguments can be the string "null"', '"null"'],
    ['null in the text', 'null'],
    ['null', null],
    ['nothing', undefined],
    ['empty text', ''],
  ])('%s', async (_case, args) => {
    const wanted = [{ id: 'a', name: 'f', arguments: {} }];
    expect((await read('groq/m', [calls(call('a', 'f', args, 0))])).calls).toEqual(wanted);
    const whole = await rig.whole('groq/m', openAiAnswer({ content: null, ...calls(call('a', 'f', args)) }));
    expect(whole.message.toolCalls).toEqual(wanted);
  });

  it.each<[string, unknown, string]>([
    ['cut JSON', '{"city":"Os', '{"city":"Os'],
    ['a list', [1], '[1]'],
    ['words', 'Oslo', 'Oslo'],
  ])('%s: kept as it was written, and no crash', async (_case, args, written) => {
    const wanted = [{ id: 'a', name: 'f', arguments: {}, invalidArguments: written }];
    expect(await read('groq/m', [calls(call('a', 'f', args, 0))])).toMatchObject({
      calls: wanted,
      finishReason: 'tool-calls',
    });
    const whole = await rig.whole('groq/m', openAiAnswer({ content: null, ...calls(call('a', 'f', args)) }));
    expect(whole.message.toolCalls).toEqual(wanted);
  });

  it('200 KB in deltas of one byte, the name in each', async () => {
    const args = JSON.stringify({ text: '{"}\\'.repeat(34_000) });
    const pieces = openAiStream([...args].map((char) => calls(call(undefined, 'f', char, 0))));
    const { events, body } = await rig.stream('together/m', { pieces: [pieces.join('')] });
    expect(events.length, JSON.stringify(body)).toBe(2);
    expect(events[0].toolCall.arguments).toEqual(JSON.parse(args));
  }, 30_000);
});

describe('the finish reason', () => {
  it('fireworks: finish reason stop although tool calls were sent', async () => {
    const deltas = [calls(call('a', 'f', '{"n":1}', 0))];
    expect(await read('fireworks/m', deltas)).toMatchObject({ calls: [F1], finishReason: 'tool-calls' });
    const whole = await rig.whole('fireworks/m', openAiAnswer({ content: '', ...calls(call('a', 'f', '{"n":1}')) }));
    expect(whole.body).toMatchObject({ message: { toolCalls: [F1] }, finishReason: 'tool-calls' });
  });

  it.each([
    ['with [DONE]', true],
    ['and the end of the stream', false],
  ])('xai: finish reason may be empty with tool calls, %s', async (_case, done) => {
    const pieces = openAiStream([calls(call('a', 'f', '{"n":1}', 0))], '');
    const { body, events } = await rig.stream('xai/grok-3', { pieces: done ? pieces : pieces.slice(0, -1) });
    expect(events[0]).toEqual({ toolCall: F1 });
    expect(body).toMatchObject({ done: true, finishReason: 'tool-calls' });
  });

  it('a stream that breaks off inside a call is no turn with tool calls', async () => {
    const pieces = openAiStream([calls(call('a', 'f', '{"n":', 0))], '').slice(0, -1);
    expect((await rig.stream('xai/grok-3', { pieces })).body).toMatchObject({ code: 'provider_protocol' });
    const none = openAiDeltas([calls(call('a', 'f', '{"n":1}', 0))]);
    expect((await rig.stream('xai/grok-3', { pieces: none })).body).toMatchObject({ code: 'provider_protocol' });
  });

  it('an empty finish reason in every chunk says nothing of the end', async () => {
    const tool_calls = [call('a', 'f', '{"n":1}', 0)];
    const pieces = [sse({ choices: [{ index: 0, delta: { tool_calls }, finish_reason: '' }] })];
    expect((await rig.stream('together/m', { pieces })).body).toMatchObject({ code: 'provider_protocol' });
  });

  it('tool_calls without a call is no turn with tool calls', async () => {
    const pieces = openAiStream([{ content: 'Yes' }], 'tool_calls');
    expect((await rig.stream('together/m', { pieces })).body).toMatchObject({ finishReason: 'stop' });
  });
});
