import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openAiAnswer, openAiStream } from '../contract/upstream.ts';
import type { Json } from '../server.ts';
import { isPlain, NAUGHTY } from './naughty.ts';
import { CONVERSATIONS, onBothDatabases } from './rig.ts';

/** Its window takes megabytes. */
const MODEL = 'gpt-4.1-mini';
const PDF = 'data:application/pdf;base64,AAAA';

const SAID = NAUGHTY.filter((text) => text !== '');

/** Compares code units; of what differs only the place is shown, since such texts are hard to tell apart on a screen. */
function same(given: unknown, back: unknown): void {
  if (isDeepStrictEqual(given, back)) return;
  const [a, b] = [JSON.stringify(given), JSON.stringify(back)];
  let at = 0;
  while (a[at] === b?.[at]) at++;
  expect(b?.slice(Math.max(0, at - 20), at + 60)).toBe(a.slice(Math.max(0, at - 20), at + 60));
}

const everyUnit = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd83d, 0xde00, 0xfeff, 0xffff)))
  .map((units) => String.fromCharCode(...units));
const anyText = fc.oneof(
  everyUnit,
  fc.string({ unit: 'binary', size: 'medium' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(...NAUGHTY.filter((text) => text.length < 300)),
);

onBothDatabases((rig) => {
  const lastSent = (): Json => rig().upstream.sent.at(-1)!.body;

  describe('comes back as it was', () => {
    it('in messages and answers, to the caller, the reader and the model', async () => {
      const { id } = await rig().create({ systemPrompt: 'S' });
      rig().upstream.reset();
      const said: Json[] = [];
      for (const text of SAID) {
        const { status, body } = await rig().send(id, text, { model: MODEL }, text);
        expect(status).toBe(200);
        same([text, text], [body.userMessage.content, body.assistantMessage.content]);
        same(text, lastSent().messages.at(-1).content);
        said.push({ role: 'user', content: text }, { role: 'assistant', content: text });
      }
      for (const { messages } of [await rig().read(id), await rig().export(id)]) {
        same(
          said,
          messages.map(({ role, content }: Json) => ({ role, content })),
        );
      }
      await rig().send(id, 'End', { model: MODEL });
      same([{ role: 'system', content: 'S' }, ...said, { role: 'user', content: 'End' }], lastSent().messages);
    });

    it('in answers that are streamed unit by unit, which cuts through pairs', async () => {
      const { id } = await rig().create();
      for (const text of SAID.filter(({ length }) => length < 300)) {
        const deltas = Array.from(text, (character) => [...Array(character.length).keys()].map((i) => character[i]));
        rig().upstream.replies.push({ pieces: openAiStream(deltas.flat().map((content) => ({ content }))) });
        const body = { content: [{ type: 'text', text }], model: MODEL, stream: true };
        const { events } = await rig().server.stream(`${CONVERSATIONS}/${id}/messages`, body);
        const { userMessage, assistantMessage, done } = events.at(-1);
        expect(done).toBe(true);
        same(
          text,
          events
            .slice(0, -1)
            .map(({ content }) => content)
            .join(''),
        );
        same([body.content, text], [userMessage.content, assistantMessage.content]);
      }
    });

    it('in calls of tools and their results', async () => {
      const { id } = await rig().create();
      const calls = NAUGHTY.map((text, i) => ({ id: `call_${i}`, text, arguments: { [text]: { [text]: [text] } } }));
      const tools = calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: 'look', arguments: JSON.stringify(call.arguments) },
      }));
      const complete = async (messages: object[]): Promise<Json> => {
        const body = { conversationId: id, model: MODEL, tools: [{ name: 'look', parameters: {} }], messages };
        const answer = await rig().server.call('/api/chat/completions', body);
        expect([answer.status, answer.body.error]).toEqual([200, undefined]);
        return answer.body;
      };
      rig().upstream.replies.push({ json: openAiAnswer({ content: 'x', tool_calls: tools }, 'tool_calls') });
      const { message } = await complete([{ role: 'user', content: 'Look' }]);
      const made = calls.map((call) => ({ id: call.id, name: 'look', arguments: call.arguments }));
      same(made, message.toolCalls);
      await complete(calls.map((call) => ({ role: 'tool', toolCallId: call.id, content: call.text })));
      const sent = lastSent().messages.slice(2);
      same(tools, sent[0].tool_calls);
      same(
        calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: call.text })),
        sent.slice(1),
      );
      const kept = made.map((call, i) => ({ ...call, result: NAUGHTY[i], status: 'success', duration: null }));
      for (const { messages } of [await rig().read(id), await rig().export(id)]) same(kept, messages[1].toolCalls);
    });

    it('in metadata, as names and as values', async () => {
      for (const text of NAUGHTY) {
        const metadata = { [text]: text, in: { [text]: [text] } };
        if (JSON.stringify(metadata).length > 65_536) continue;
        const { id, ...made } = await rig().create({ metadata });
        same(metadata, made.metadata);
        await rig().patch(id, { metadata: { a: 1 } });
        same(metadata, (await rig().patch(id, { metadata })).body.conversation.metadata);
        same(metadata, (await rig().export(id)).conversation.metadata);
      }
    });

    it('in names of files, to the reader and the model', async () => {
      const { id } = await rig().create();
      for (const filename of SAID.filter(({ length }) => length <= 255)) {
        const content = [{ type: 'file', file: PDF, filename }];
        const { body } = await rig().send(id, content, { model: MODEL });
        same(content, body.userMessage.content);
        same(filename, lastSent().messages.at(-1).content[0].file.filename);
      }
      const { messages } = await rig().read(id);
      const names = messages.flatMap(({ role, content }: Json) => (role === 'user' ? [content[0].filename] : []));
      same(
        SAID.filter(({ length }) => length <= 255),
        names,
      );
    });

    it('in everything that is imported, and exported again', async () => {
      const within = (text: string, max: number): string => text.slice(0, max) || 'x';
      const messages = NAUGHTY.flatMap((text, i): Json[] => [
        {
          role: 'user',
          content: [
            { type: 'text', text: text || 'x' },
            { type: 'file', file: PDF, filename: within(text, 255) },
          ],
        },
        {
          role: 'assistant',
          content: text,
          reasoning: text,
          parts: [
            {
              type: 'reasoning',
              text,
              data: { [text]: text },
              origin: { provider: within(text, 100), model: within(text, 500) },
            },
            { type: 'text', text },
            { type: 'tool-call', id: within(text, 500) },
          ],
          sources: [{ url: text, title: text }],
          model: within(text, 500),
          provider: within(text, 100),
          toolCalls: [
            {
              id: within(text, 500),
              name: within(text, 200),
              arguments: { [text]: text },
              invalidArguments: text,
              data: { [text]: text },
              result: text,
              status: 'success',
              duration: i,
            },
          ],
        },
      ]);
      const first = await rig().export((await rig().import({ messages })).id);
      const imported = first.messages.map((message: Json, i: number) =>
        Object.fromEntries(Object.keys(messages[i]).map((name) => [name, message[name]])),
      );
      same(messages, imported);
      const second = await rig().export((await rig().import(first)).id);
      const content = ({ id: _, conversationId: _of, ...rest }: Json): Json => rest;
      same(first.messages.map(content), second.messages.map(content));
    });

    it('in a message and an answer of a megabyte', async () => {
      const some = `${SAID.filter(({ length }) => length < 1000).join(' ')}\n`;
      const text = some.repeat(Math.ceil(1_000_000 / some.length)).slice(0, 1_000_000);
      expect(Buffer.byteLength(text)).toBeGreaterThan(2 ** 20);
      const { id } = await rig().create({ systemPrompt: 'S' });
      const { status, body } = await rig().send(id, text, { model: MODEL }, text);
      expect(status).toBe(200);
      same([text, text], [body.userMessage.content, body.assistantMessage.content]);
      const whole = [text, text, 'Go on'];
      await rig().send(id, 'Go on', { model: MODEL });
      same(
        ['S', ...whole],
        lastSent().messages.map(({ content }: Json) => content),
      );
      for (const { messages } of [await rig().read(id), await rig().export(id)]) {
        same(
          whole,
          messages.slice(0, 3).map(({ content }: Json) => content),
        );
      }
    });

    it('whatever it is', async () => {
      const property = fc.asyncProperty(
        anyText.filter((text) => text !== ''),
        anyText,
        anyText,
        async (content, reply, name) => {
          const metadata = { [name]: reply };
          const { id } = await rig().create({ metadata });
          const { status, body } = await rig().send(id, content, { model: MODEL }, reply);
          expect(status).toBe(200);
          const said = [content, reply];
          same(said, [body.userMessage.content, body.assistantMessage.content]);
          same(content, lastSent().messages.at(-1).content);
          for (const { conversation, messages } of [await rig().read(id), await rig().export(id)]) {
            same(
              said,
              messages.map((message: Json) => message.content),
            );
            same(metadata, conversation.metadata);
            expect(isPlain(conversation.title)).toBe(true);
          }
          // Whatever its words are, a search for them is no error.
          await rig().list(`?q=${encodeURIComponent(`x${content}`.slice(0, 100).toWellFormed())}`);
          rig().upstream.reset();
        },
      );
      // Without making it smaller: that takes longer than a test may.
      await fc.assert(property, { numRuns: 200, endOnFailure: true });
    }, 120_000);
  });

  describe('comes back as it was or is refused', () => {
    it.each(['title', 'systemPrompt'])('as a %s, given at first or later', async (field) => {
      const { id } = await rig().create();
      for (const text of NAUGHTY.filter(({ length }) => field !== 'title' || length <= 500)) {
        const made = await rig().server.call(CONVERSATIONS, { [field]: text });
        const changed = await rig().patch(id, { [field]: text });
        if (text === '' || !isPlain(text)) {
          expect([text, made.status, changed.status]).toEqual([text, 400, 400]);
          expect(made.body.details.issues).toMatchObject([{ path: field }]);
          continue;
        }
        expect([made.status, changed.status]).toEqual([201, 200]);
        same(text, made.body.conversation[field]);
        same(text, changed.body.conversation[field]);
        same(text, (await rig().read(made.body.conversation.id)).conversation[field]);
        same(text, (await rig().export(id)).conversation[field]);
        if (field === 'title') continue;
        await rig().send(id, 'Hi', { model: MODEL });
        same(text, lastSent().messages[0].content);
      }
    });

    it('as an id or a name of what is linked: never more than "not there"', async () => {
      for (const text of NAUGHTY) {
        for (const field of ['presetId', 'taskId', 'ticketId', 'model']) {
          const { status } = await rig().server.call(CONVERSATIONS, { [field]: text });
          expect([field, text, status]).toEqual([
            field,
            text,
            text === '' || text.length > (field === 'model' ? 300 : 200) ? 400 : 404,
          ]);
        }
        // A path is UTF-8, and no longer than a head may be.
        if (!text.isWellFormed() || text === '' || text.length > 1000) continue;
        const path = encodeURIComponent(text);
        for (const at of [path, `${path}/export`, `${path}/memory`]) {
          const { status } = await rig().server.call(`${CONVERSATIONS}/${at}`);
          expect([at, status]).toEqual([at, text.length > 200 ? 400 : 404]);
        }
      }
    });
  });
});
