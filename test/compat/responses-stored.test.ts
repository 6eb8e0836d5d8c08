import { createOpenAI } from '@ai-sdk/openai';
import { Agent, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import { generateText, type ModelMessage, tool as sdkTool, stepCountIs } from 'ai';
import OpenAI, { BadRequestError, ConflictError, NotFoundError } from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { foldEndedRuns } from '../../src/agent/fold.ts';
import { onBothDatabases } from '../conversations/rig.ts';
import type { Json } from '../server.ts';

const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};
const LOOK = '/reason Where is it\n/say Let me look\n/tool weather {"city":"Rome"}\n/next\n/say Sunny there';

onBothDatabases((rig) => {
  let made: { client: OpenAI; key: string } | undefined;

  async function connected(): Promise<{ client: OpenAI; key: string }> {
    if (made) return made;
    const { server } = rig();
    const { body } = await server.call('/api/keys', { name: 'stored', scopes: ['chat', 'conversations:read'] });
    const key = body.secret as string;
    made = { key, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }) };
    return made;
  }

  async function ask(fields: object): Promise<Response> {
    const { client } = await connected();
    return await client.responses.create({
      model: 'demo',
      ...fields,
    } as OpenAI.Responses.ResponseCreateParamsNonStreaming);
  }

  async function events(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
    const all: ResponseStreamEvent[] = [];
    for await (const event of stream) all.push(event);
    return all;
  }

  async function count(): Promise<number> {
    return (await rig().list()).total as number;
  }

  async function conversationOf({ conversation }: Response): Promise<Json> {
    return await rig().read(conversation?.id ?? '');
  }

  describe('a response that is kept', () => {
    it('is a turn of a conversation, and reads as it was given', async () => {
      const { client } = await connected();
      const given = await ask({ input: LOOK, instructions: 'Be short', tools: [WEATHER], metadata: { a: 'b' } });
      expect(given.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
      const { output_text: _, ...rest } = given;
      expect(await client.responses.retrieve(given.id)).toMatchObject({ ...rest, completed_at: expect.any(Number) });
      const { conversation, messages } = await conversationOf(given);
      expect(conversation).toMatchObject({ systemPrompt: null, messageCount: 2 });
      expect(messages.map(({ role, content }: Json) => [role, content])).toEqual([
        ['user', LOOK],
        ['assistant', 'Let me look'],
      ]);
    });

    it('goes on from the one before, in its conversation', async () => {
      const first = await ask({ input: LOOK, tools: [WEATHER] });
      const call = first.output.find((item) => item.type === 'function_call');
      const output = { type: 'function_call_output', call_id: call?.call_id, output: 'sun' };
      const second = await ask({ input: [output], tools: [WEATHER], previous_response_id: first.id });
      expect(second).toMatchObject({
        output_text: 'Sunny there',
        previous_response_id: first.id,
        conversation: first.conversation,
      });
      const { messages } = await conversationOf(second);
      expect(messages).toHaveLength(3);
      expect(messages[1].toolCalls[0]).toMatchObject({ result: 'sun', status: 'success' });
    });

    it('goes on beside others that have gone on from the same one, also at once', async () => {
      const first = await ask({ input: '/say one' });
      const next = ['two', 'three', 'four'].map((word) =>
        ask({ input: `/say ${word}`, previous_response_id: first.id }),
      );
      const all = await Promise.all(next);
      expect(all.map(({ output_text }) => output_text)).toEqual(['two', 'three', 'four']);
      const ids = all.map(({ conversation }) => conversation?.id);
      expect(new Set(ids).size).toBe(3);
      expect(ids).toContain(first.conversation?.id);
      for (const [index, one] of all.entries()) {
        const { messages } = await conversationOf(one);
        expect(messages.map(({ content }: Json) => content)).toEqual([
          '/say one',
          'one',
          `/say ${['two', 'three', 'four'][index]}`,
          ['two', 'three', 'four'][index],
        ]);
      }
    });

    it('can be a turn of a conversation that is there', async () => {
      const conversation = await rig().create({ systemPrompt: 'Be kind' });
      const one = await ask({ input: '/say one', conversation: conversation.id });
      const two = await ask({ input: '/say two', conversation: { id: conversation.id } });
      expect([one.conversation?.id, two.conversation?.id]).toEqual([conversation.id, conversation.id]);
      await expect(ask({ input: 'Hi', conversation: 'conv_none' })).rejects.toBeInstanceOf(NotFoundError);
    });

    it('lists what it has answered, page by page, either way', async () => {
      const { client } = await connected();
      const first = await ask({
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: LOOK },
              { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
            ],
          },
        ],
        tools: [WEATHER],
      });
      const call = first.output.find((item) => item.type === 'function_call');
      const output = { type: 'function_call_output', call_id: call?.call_id, output: 'sun' };
      const second = await ask({ input: [output], previous_response_id: first.id, tools: [WEATHER] });
      const items: Json[] = [];
      for await (const item of client.responses.inputItems.list(second.id, { limit: 2, order: 'asc' }))
        items.push(item);
      expect(items.map(({ type }) => type)).toEqual([
        'message',
        'reasoning',
        'message',
        'function_call',
        'function_call_output',
      ]);
      expect(items.slice(1, 4)).toEqual(first.output);
      expect(items[0].content[1]).toMatchObject({ image_url: 'data:image/png;base64,AAAA' });
      const back: Json[] = [];
      for await (const item of client.responses.inputItems.list(second.id, { limit: 1 })) back.push(item);
      expect(back).toEqual(items.toReversed());
      await expect(client.responses.inputItems.list(second.id, { after: 'msg_none' })).rejects.toBeInstanceOf(
        BadRequestError,
      );
    });

    it('goes with the last of its conversation, if that was made for it', async () => {
      const { client } = await connected();
      const before = await count();
      const one = await ask({ input: '/say one' });
      const two = await ask({ input: '/say two', previous_response_id: one.id });
      await client.responses.delete(one.id);
      await expect(client.responses.retrieve(one.id)).rejects.toBeInstanceOf(NotFoundError);
      expect((await client.responses.retrieve(two.id)).output_text).toBe('two');
      await client.responses.delete(two.id);
      expect(await count()).toBe(before);
      const conversation = await rig().create();
      const three = await ask({ input: '/say three', conversation: conversation.id });
      await client.responses.delete(three.id);
      expect((await rig().read(conversation.id)).messages).toHaveLength(2);
    });

    it('is gone with its message', async () => {
      const { client } = await connected();
      const one = await ask({ input: '/say one' });
      const { messages } = await conversationOf(one);
      await rig().remove(`${one.conversation?.id}/messages/${messages[0].id}`);
      await expect(client.responses.retrieve(one.id)).rejects.toBeInstanceOf(NotFoundError);
      await expect(ask({ input: 'Hi', previous_response_id: one.id })).rejects.toMatchObject({
        param: 'previous_response_id',
      });
    });

    it('leaves nothing when it fails before anybody knows of it', async () => {
      const before = await count();
      await expect(ask({ input: '/fail 503 gone' })).rejects.toMatchObject({ code: 'provider_unavailable' });
      await expect(ask({ input: '/say half\n/cut 503 gone' })).rejects.toMatchObject({ code: 'provider_unavailable' });
      expect(await count()).toBe(before);
    });

    it('that fails in the middle of a stream is kept as failed', async () => {
      const { client } = await connected();
      const stream = await client.responses.create({ model: 'demo', input: '/say half\n/cut 503 gone', stream: true });
      const all = await events(stream);
      const last = all.at(-1);
      const id = last && 'response' in last ? last.response.id : '';
      expect(await client.responses.retrieve(id)).toMatchObject({
        status: 'failed',
        error: { message: expect.any(String) },
      });
    });

    it('goes on when its caller leaves', async () => {
      const { client } = await connected();
      const stream = await client.responses.create({ model: 'demo', input: '/stream 6 30', stream: true });
      let id = '';
      for await (const event of stream) {
        if ('response' in event) id = event.response.id;
        if (event.type === 'response.output_text.delta') break;
      }
      expect(['in_progress', 'completed']).toContain((await client.responses.retrieve(id)).status);
      await vi.waitFor(async () => expect((await client.responses.retrieve(id)).status).toBe('completed'), 5000);
    });

    it('may be what an unkept one goes on from', async () => {
      const first = await ask({ input: LOOK, tools: [WEATHER] });
      const call = first.output.find((item) => item.type === 'function_call');
      const output = { type: 'function_call_output', call_id: call?.call_id, output: 'sun' };
      const before = await count();
      const second = await ask({ input: [output], tools: [WEATHER], previous_response_id: first.id, store: false });
      expect(second).toMatchObject({ output_text: 'Sunny there', store: false, conversation: null });
      expect(await count()).toBe(before);
      expect((await conversationOf(first)).messages).toHaveLength(2);
    });
  });

  describe('in the background', () => {
    it('is a run that can be asked for until it has ended', async () => {
      const { client } = await connected();
      const begun = await ask({ input: '/reason Hm\n/say Hello there', background: true });
      expect(begun).toMatchObject({ background: true, conversation: { id: expect.stringMatching(/^conv_/) } });
      await vi.waitFor(async () => expect((await client.responses.retrieve(begun.id)).status).toBe('completed'), 5000);
      const done = await client.responses.retrieve(begun.id);
      expect(done.output_text).toBe('Hello there');
      expect(done.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
      expect((await conversationOf(done)).messages).toHaveLength(2);
      const next = await ask({ input: '/say more', previous_response_id: begun.id });
      expect(next.conversation).toEqual(begun.conversation);
      await expect(client.responses.cancel(next.id)).rejects.toBeInstanceOf(BadRequestError);
      expect((await client.responses.cancel(begun.id)).status).toBe('completed');
    });

    it('is watched from any event on, with the same numbers', async () => {
      const { client } = await connected();
      const fields = { model: 'demo', input: '/reason Hm\n/stream 12 5', background: true } as const;
      const all = await events(await client.responses.create({ ...fields, stream: true }));
      const types = all.map(({ type }) => type.replace('response.', ''));
      expect(types.slice(0, 3)).toEqual(['created', 'queued', 'in_progress']);
      expect(types.at(-1)).toBe('completed');
      const numbers = all.map(({ sequence_number }) => sequence_number);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      const [first] = all;
      const id = first?.type === 'response.created' ? first.response.id : '';
      const final = all.at(-1);
      expect(final?.type === 'response.completed' && final.response).toEqual(
        expect.objectContaining({ id, output: (await client.responses.retrieve(id)).output }),
      );
      const items = all.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item.id] : []));
      expect(items).toEqual(final?.type === 'response.completed' ? final.response.output.map((item) => item.id) : []);
      for (const after of numbers) {
        const rest = await events(await client.responses.retrieve(id, { stream: true, starting_after: after }));
        expect(rest).toEqual(all.filter(({ sequence_number }) => sequence_number > after));
      }
      const helper = client.responses.stream({ response_id: id, starting_after: 0 } as never);
      expect((await helper.finalResponse()).output_text).toBe(said(all));
    });

    it('keeps its numbers when its pieces of text are put together', async () => {
      const { client } = await connected();
      const fields = { model: 'demo', input: '/reason Hm\n/stream 8 60', background: true } as const;
      const all = await events(await client.responses.create({ ...fields, stream: true }));
      const [first] = all;
      const id = first?.type === 'response.created' ? first.response.id : '';
      const deltas = all.filter(({ type }) => type === 'response.output_text.delta');
      expect(deltas.length).toBeGreaterThan(2);
      const { db, close } = await rig().open();
      await db.updateTable('runs').set({ fold_at: 0 }).where('id', '=', id.replace('resp_', 'run_')).execute();
      await foldEndedRuns(db, 100);
      await close();
      const folded = await events(await client.responses.retrieve(id, { stream: true }));
      const whole = folded.filter(({ type }) => type === 'response.output_text.delta');
      expect(whole).toEqual([{ ...deltas.at(-1), delta: said(all) }]);
      const others = (some: ResponseStreamEvent[]) => some.filter(({ type }) => type !== 'response.output_text.delta');
      expect(others(folded)).toEqual(others(all));
      // In the middle of what is one piece by now: its end has the whole text.
      const middle = deltas[0]?.sequence_number ?? 0;
      const rest = await events(await client.responses.retrieve(id, { stream: true, starting_after: middle }));
      expect(rest).toEqual(others(folded).filter(({ sequence_number }) => sequence_number > middle));
      expect(rest[0]).toMatchObject({ type: 'response.output_text.done', text: said(all) });
    });

    it('can be cancelled, once and again', async () => {
      const { client } = await connected();
      const stream = await client.responses.create({
        model: 'demo',
        input: '/say Half\n/stall',
        background: true,
        stream: true,
      });
      const all: ResponseStreamEvent[] = [];
      let id = '';
      for await (const event of stream) {
        all.push(event);
        if (event.type === 'response.created') id = event.response.id;
        if (event.type !== 'response.output_text.delta') continue;
        expect(await client.responses.retrieve(id)).toMatchObject({ status: 'in_progress' });
        expect(await client.responses.cancel(id)).toMatchObject({ status: 'cancelled' });
      }
      expect(all.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'cancelled' } });
      await client.responses.cancel(id);
      expect(await client.responses.retrieve(id)).toMatchObject({ status: 'cancelled', output_text: 'Half' });
    });

    it('says what it has failed of, and goes when it is deleted', async () => {
      const { client } = await connected();
      const before = await count();
      const begun = await ask({ input: '/fail 400 no', background: true });
      await vi.waitFor(async () => expect((await client.responses.retrieve(begun.id)).status).toBe('failed'), 5000);
      const failed = await client.responses.retrieve(begun.id);
      expect(failed.error).toMatchObject({ message: expect.stringContaining('no') });
      await client.responses.delete(begun.id);
      expect(await count()).toBe(before);
    });
  });

  describe('what repeats what was said', () => {
    it('is one conversation for the AI SDK, whose steps refer to items', async () => {
      const { key } = await connected();
      const before = await count();
      const model = createOpenAI({ baseURL: `${rig().server.url}/v1`, apiKey: key })('demo');
      const tools = {
        weather: sdkTool({ inputSchema: z.object({ city: z.string() }), execute: ({ city }) => `sun in ${city}` }),
      };
      // The second answer is a call and nothing else, which the SDK sends back without an id.
      const look = LOOK.replace('/next', '/next\n/tool weather {"city":"Oslo"}\n/next');
      const messages: ModelMessage[] = [{ role: 'user', content: look }];
      const result = await generateText({ model, system: 'Be kind', messages, tools, stopWhen: stepCountIs(4) });
      expect(result.text).toBe('Sunny there');
      expect(result.steps).toHaveLength(3);
      messages.push(...result.responseMessages, { role: 'user', content: '/say Bye' });
      const more = await generateText({ model, system: 'Be kind', messages, tools });
      expect(more.text).toBe('Bye');
      expect(await count()).toBe(before + 1);
      const [newest] = (await rig().list()).conversations;
      expect(newest.messageCount).toBe(6);
    });

    it('is one for OpenAI’s agents', async () => {
      const { client } = await connected();
      // Its types are those of an older client.
      const model = new OpenAIResponsesModel(client as never, 'demo');
      setTracingDisabled(true);
      const before = await count();
      const weather = tool({
        name: 'weather',
        description: 'The weather of a city',
        parameters: z.object({ city: z.string() }),
        execute: ({ city }) => `sun in ${city}`,
      });
      const agent = new Agent({ name: 'Guide', instructions: 'Be kind', model, tools: [weather] });
      const result = await run(agent, LOOK);
      expect(result.finalOutput).toBe('Sunny there');
      expect(await count()).toBe(before + 1);
      const next = await run(agent, '/say Bye', { previousResponseId: result.lastResponseId ?? '' });
      expect(next.finalOutput).toBe('Bye');
      expect(await count()).toBe(before + 1);
    });

    it('is another one if it was changed', async () => {
      const first = await ask({ input: '/say one' });
      const input = [{ role: 'user', content: '/say other' }, ...first.output, { role: 'user', content: '/say two' }];
      const second = await ask({ input });
      expect(second.conversation?.id).not.toBe(first.conversation?.id);
      expect((await conversationOf(second)).messages).toHaveLength(4);
    });

    it('is refused while it is being answered', async () => {
      const { client } = await connected();
      const begun = await ask({ input: '/say a\n/stall', background: true });
      await expect(ask({ input: 'Hi', previous_response_id: begun.id })).rejects.toBeInstanceOf(ConflictError);
      await client.responses.cancel(begun.id);
    });
  });
});

function said(events: readonly ResponseStreamEvent[]): string {
  return events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
}
