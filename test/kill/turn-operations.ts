import { expect } from 'vitest';
import type { Json } from '../server.ts';
import type { Attempt, Operation } from './points.ts';
import { eventsOf, type Rig, type Told } from './rig.ts';
import { answerTo, callFor, MODEL, TOOL } from './upstream.ts';

let made = 0;

/** A text that no other message has, as one word and more. */
function newContent(): string {
  made++;
  return `question${made}x with more words`;
}

/** A message's turn, keyed; with its claim and its end 4 commits. */
export function sendMessage(stream: boolean): Operation {
  let path: string | undefined;
  return {
    name: stream ? 'a streamed message' : 'a message',
    commits: 4,
    begin: async (rig) => {
      path ??= await rig.conversation();
      const conversation = path;
      const content = newContent();
      const send = () =>
        rig.ask(`${conversation}/messages`, { content, stream }, { key: content.replaceAll(' ', '-') });
      return {
        act: send,
        check: async (told, { point }) => {
          await expectKept(rig, conversation, { content, told });
          // Tried again by itself first, it is done all the same when the request is repeated.
          if (point % 2 === 0) await retryFailed(rig, conversation);
          expectAnswered(await send(), content);
          await expectOnce(rig, conversation, content);
        },
      };
    },
  };
}

/** The turn of a failed message, tried again. */
export function retryMessage(): Operation {
  let path: string | undefined;
  return {
    name: 'a retry',
    commits: 4,
    begin: async (rig) => {
      path ??= await rig.conversation();
      const conversation = path;
      const content = newContent();
      rig.upstream.refuse(true);
      expect(await rig.ask(`${conversation}/messages`, { content })).toMatchObject({ status: 400 });
      rig.upstream.refuse(false);
      const retry = () => rig.ask(`${conversation}/retry`, {}, { key: content.replaceAll(' ', '-') });
      return {
        act: retry,
        check: async (told) => {
          await expectKept(rig, conversation, { content, told, isThere: true });
          expectAnswered(await retry(), content);
          await expectOnce(rig, conversation, content);
        },
      };
    },
  };
}

const TOOLS = [{ name: TOOL, description: 'Looks.', parameters: { type: 'object' } }];

/** A completion within a conversation that is answered with a call of a tool. */
export function callTool(): Operation {
  let path: string | undefined;
  return {
    name: 'a completion with tools',
    commits: 4,
    begin: async (rig) => {
      path ??= await rig.conversation();
      const conversation = path;
      const content = `${TOOL} at ${newContent()}`;
      const ask = () => complete(rig, conversation, [{ role: 'user', content }]);
      return {
        act: ask,
        check: async (told) => {
          await expectKept(rig, conversation, { content, told, answer: '' });
          const again = await ask();
          expect(again).toMatchObject({ status: 200, isWhole: true });
          expect(JSON.parse(again.text).message.toolCalls).toEqual([callFor(content)]);
          const [, answer] = await expectOnce(rig, conversation, content, '');
          expect(answer.toolCalls).toMatchObject([{ ...callFor(content), result: null }]);
        },
      };
    },
  };
}

/** The completion that brings the result, which is a turn without messages of its own. */
export function bringResult(): Operation {
  let path: string | undefined;
  return {
    name: 'a completion with the result of a tool',
    commits: 4,
    begin: async (rig): Promise<Attempt> => {
      path ??= await rig.conversation();
      const conversation = path;
      const content = `${TOOL} at ${newContent()}`;
      const { id } = callFor(content);
      await complete(rig, conversation, [{ role: 'user', content }]);
      const result = `what is at ${content}`;
      const bring = () => complete(rig, conversation, [{ role: 'tool', toolCallId: id, content: result }]);
      return {
        act: bring,
        check: async (_, { point }) => {
          const { messages } = await rig.get(conversation);
          const isOpen = messages.at(-1).toolCalls[0]?.result === result;
          // Without a message that could be marked as failed, it can be tried again all the same.
          const again = isOpen && point % 2 === 0 ? await rig.ask(`${conversation}/retry`, {}) : await bring();
          expect(again).toMatchObject({ status: 200, isWhole: true });
          expect(again.text).toContain(JSON.stringify(answerTo(result)));
          const [, call, answer] = await exchange(rig, conversation, content, 3);
          expect(call.toolCalls).toMatchObject([{ id, status: 'success', result }]);
          expect(answer).toMatchObject({ role: 'assistant', content: answerTo(result), status: 'complete' });
        },
      };
    },
  };
}

async function complete(rig: Rig, conversation: string, messages: Json[]): Promise<Told> {
  const body = { conversationId: conversation.split('/').at(-1), model: MODEL, messages, tools: TOOLS };
  return await rig.ask('/completions', body, { key: messages[0].content.replaceAll(' ', '-') });
}

/** A JSON or streamed answer to a message, come whole. */
export function expectAnswered(told: Told, content: string): void {
  expect(told).toMatchObject({ status: 200, isWhole: true });
  const { words, last } = readAnswer(told.text);
  expect(words).toBe(answerTo(content));
  expect(last.assistantMessage).toMatchObject({ content: answerTo(content), status: 'complete' });
  expect(last.userMessage).toMatchObject({ content, status: 'complete' });
}

/** What an answer says, and its last part, which has everything. */
export function readAnswer(text: string): { words: string; last: Json } {
  if (!text.startsWith('data: ')) {
    const last = JSON.parse(text);
    return { words: last.assistantMessage?.content ?? '', last };
  }
  const events = eventsOf(text);
  return { words: events.map(({ content = '' }) => content).join(''), last: events.at(-1) };
}

/** After a death: the message is there once, with its whole answer or failed; or not at all if nobody was told. */
async function expectKept(
  rig: Rig,
  conversation: string,
  { content, told, isThere = told.text !== '', answer = answerTo(content) }: Kept,
): Promise<void> {
  const { messages } = await rig.get(conversation);
  const own = messages.filter((message: Json) => message.content === content);
  if (own.length === 0 && !isThere) return;
  expect(own).toHaveLength(1);
  const next = messages[messages.indexOf(own[0]) + 1];
  if (own[0].status === 'failed') {
    // Why it had failed before it was tried again, or that it was broken off.
    expect(['interrupted', 'provider_rejected']).toContain(own[0].error.code);
    expect(next).toBeUndefined();
    expect(told.text).not.toContain('"done"');
  } else {
    expect(own[0]).toMatchObject({ status: 'complete', error: null });
    expect(next).toMatchObject({ role: 'assistant', status: 'complete', content: answer });
  }
}

interface Kept {
  content: string;
  told: Told;
  isThere?: boolean;
  answer?: string;
}

async function retryFailed(rig: Rig, conversation: string): Promise<void> {
  const { messages } = await rig.get(conversation);
  const last = messages.at(-1);
  if (last?.status !== 'failed') return;
  expectAnswered(await rig.ask(`${conversation}/retry`, {}), last.content);
}

/** The message and what follows it, at the end of the conversation, and nowhere else. */
async function exchange(rig: Rig, conversation: string, content: string, count: number): Promise<Json[]> {
  const { messages } = await rig.get(conversation);
  const own = messages.filter((message: Json) => message.content === content);
  expect(own).toHaveLength(1);
  const from = messages.indexOf(own[0]);
  expect(messages.slice(from)).toHaveLength(count);
  const { conversations } = await rig.get(`/conversations?q=${encodeURIComponent(content)}`);
  expect(conversations.map(({ id }: Json) => `/conversations/${id}`)).toEqual([conversation]);
  return messages.slice(from);
}

async function expectOnce(
  rig: Rig,
  conversation: string,
  content: string,
  answer: string = answerTo(content),
): Promise<[Json, Json]> {
  const [asked, answered] = await exchange(rig, conversation, content, 2);
  expect(asked).toMatchObject({ role: 'user', content, status: 'complete', error: null });
  expect(answered).toMatchObject({ role: 'assistant', content: answer, status: 'complete', error: null });
  return [asked, answered];
}
