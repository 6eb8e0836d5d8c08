import { expect } from 'vitest';
import type { Json } from '../server.ts';
import type { Attempt, Operation } from './points.ts';
import type { Rig } from './rig.ts';
import { ANSWER_TOKENS, answerTo, MODEL } from './upstream.ts';

let made = 0;

function newTitle(): string {
  return `title${++made}x of a conversation`;
}

/** So many messages, questions and answers in turn. */
function messagesOf(count: number, title: string): { role: string; content: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const asked = `line ${index - (index % 2)} of ${title}`;
    return index % 2 === 0 ? { role: 'user', content: asked } : { role: 'assistant', content: answerTo(asked) };
  });
}

/** A conversation that is there whole. @returns its path. */
async function imported(rig: Rig, count: number, title: string): Promise<string> {
  const body = { conversation: { title, model: MODEL }, messages: messagesOf(count, title) };
  const { conversation } = await rig.get('/conversations/import', body);
  return `/conversations/${conversation.id}`;
}

/** The conversation of that title: one, or none. */
async function find(rig: Rig, title: string): Promise<Json | undefined> {
  const { conversations, total } = await rig.get(`/conversations?q=${encodeURIComponent(title)}`);
  expect(total).toBe(conversations.length);
  expect(conversations.length).toBeLessThan(2);
  return conversations[0];
}

async function contents(rig: Rig, path: string): Promise<{ role: string; content: string }[]> {
  const { messages } = await rig.get(`${path}/export`);
  return messages.map(({ role, content }: Json) => ({ role, content }));
}

/** What a conversation has come to; it then goes, so that there is less to look through. */
async function expectAndRemove(rig: Rig, path: string, messages: { role: string; content: string }[]): Promise<void> {
  expect(await contents(rig, path)).toEqual(messages);
  expect(await rig.faults()).toEqual([]);
  await rig.get(path, undefined, { method: 'DELETE' });
}

/** Deletes a message in the middle and what followed. */
export function deleteMessage(count: number): Operation {
  return {
    name: `the deletion of ${count - 10} messages`,
    commits: 4,
    begin: async (rig) => {
      const title = newTitle();
      const path = await imported(rig, count, title);
      // Without an answer, so that not all that is deleted goes in pairs.
      rig.upstream.refuse(true);
      expect(await rig.ask(`${path}/messages`, { content: 'refused' })).toMatchObject({ status: 400 });
      rig.upstream.refuse(false);
      const all = messagesOf(count, title);
      const { messages } = await rig.get(path);
      const remove = () => rig.ask(`${path}/messages/${messages[10].id}`, undefined, { method: 'DELETE' });
      return {
        act: remove,
        check: async (told) => {
          const left = await contents(rig, path);
          if (told.isWhole) expect(left).toHaveLength(10);
          const isUntouched = left.length === count + 1;
          expect(left).toEqual([...all, { role: 'user', content: 'refused' }].slice(0, left.length));
          const again = await remove();
          expect([200, 404]).toContain(again.status);
          if (isUntouched) expect(again.status).toBe(200);
          await expectAndRemove(rig, path, all.slice(0, 10));
        },
      };
    },
  };
}

/** Deletes a conversation. */
export function deleteConversation(count: number): Operation {
  return {
    name: `the deletion of a conversation of ${count} messages`,
    commits: 3,
    begin: async (rig) => {
      const title = newTitle();
      const path = await imported(rig, count, title);
      const remove = () => rig.ask(path, undefined, { method: 'DELETE' });
      return {
        act: remove,
        check: async (told) => {
          const found = await find(rig, title);
          if (found) {
            expect(told.isWhole).toBe(false);
            expect(await contents(rig, path)).toEqual(messagesOf(count, title));
          }
          expect(await remove()).toMatchObject({ status: found ? 200 : 404 });
          expect(await rig.ask(path)).toMatchObject({ status: 404 });
          expect(await find(rig, title)).toBeUndefined();
        },
      };
    },
  };
}

/** Imports a conversation, keyed. */
export function importConversation(count: number): Operation {
  return {
    name: `an import of ${count} messages`,
    commits: 4 + Math.ceil(count / 100),
    begin: async (rig) => {
      const title = newTitle();
      const messages = messagesOf(count, title);
      return await copying(rig, '/conversations/import', { conversation: { title }, messages }, messages);
    },
  };
}

/** Copies a conversation that has been compacted, keyed. */
export function forkConversation(count: number): Operation {
  let source: string | undefined;
  const title = newTitle();
  return {
    name: `a fork of ${count} messages`,
    commits: 4 + Math.ceil(count / 100),
    begin: async (rig) => {
      if (source === undefined) {
        source = await imported(rig, count, title);
        await rig.get(`${source}/compact`, {});
      }
      return await copying(rig, `${source}/fork`, {}, messagesOf(count, title));
    },
  };
}

/** Half of it is never seen; repeated, it is made once. */
async function copying(
  rig: Rig,
  path: string,
  body: object,
  messages: { role: string; content: string }[],
): Promise<Attempt> {
  const known = new Set(await conversationIds(rig));
  const key = newTitle().replaceAll(' ', '-');
  const copy = () => rig.ask(path, body, { key });
  const copies = async () => (await conversationIds(rig)).filter((id) => !known.has(id));
  return {
    act: copy,
    check: async (told) => {
      const before = await copies();
      if (told.text !== '') expect(before).toHaveLength(1);
      const again = await copy();
      expect(again).toMatchObject({ status: 201, isWhole: true });
      const { conversation } = JSON.parse(again.text);
      expect(conversation.messageCount).toBe(messages.length);
      expect(await copies()).toEqual([conversation.id]);
      expect([[], [conversation.id]]).toContainEqual(before);
      await expectAndRemove(rig, `/conversations/${conversation.id}`, messages);
    },
  };
}

async function conversationIds(rig: Rig): Promise<string[]> {
  const { conversations, total } = await rig.get('/conversations?limit=100');
  expect(conversations).toHaveLength(total);
  return conversations.map(({ id }: Json) => id);
}

/** Has the beginning of a conversation summarised. */
export function compactConversation(count: number): Operation {
  return {
    name: 'a compaction',
    commits: 3,
    begin: async (rig) => {
      const title = newTitle();
      const path = await imported(rig, count, title);
      const compact = () => rig.ask(`${path}/compact`, {});
      return {
        act: compact,
        check: async (told) => {
          const { compactions, summary, coveredSeq } = await rig.get(`${path}/memory`);
          expect(compactions.length).toBeLessThan(2);
          if (told.isWhole) expect(compactions).toHaveLength(1);
          expect(summary !== null).toBe(compactions.length === 1);
          expect(coveredSeq > 0).toBe(compactions.length === 1);
          expect((await rig.get(path)).conversation.usage.totalTokens).toBe(compactions.length * ANSWER_TOKENS);
          if (compactions.length === 0) expect(await compact()).toMatchObject({ status: 200, isWhole: true });
          const after = await rig.get(path);
          expect(after.conversation.usage.totalTokens).toBe(ANSWER_TOKENS);
          await expectAndRemove(rig, path, messagesOf(count, title));
        },
      };
    },
  };
}
