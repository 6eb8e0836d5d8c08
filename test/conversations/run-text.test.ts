import { isDeepStrictEqual } from 'node:util';
import { expect, it, vi } from 'vitest';
import { readableText } from '../../src/core/readable-text.ts';
import { openAiStream } from '../contract/upstream.ts';
import type { Json } from '../server.ts';
import { isPlain, NAUGHTY } from './naughty.ts';
import { CONVERSATIONS, onBothDatabases, type Rig } from './rig.ts';

// Any text comes back as it was, through everything that a run keeps: questions, events, edited arguments; and what
// tools return, readable.

// A hundred runs one after the other, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

const SAID = NAUGHTY.filter((text) => text !== '' && text.length < 3000);
/** Its window takes megabytes. */
const MODEL = 'openai/gpt-4.1-mini';

/** Compares code units; of what differs only the place is shown. */
function same(given: unknown, back: unknown): void {
  if (isDeepStrictEqual(given, back)) return;
  const [a, b] = [JSON.stringify(given), JSON.stringify(back)];
  let at = 0;
  while (a[at] === b?.[at]) at++;
  expect(b?.slice(Math.max(0, at - 20), at + 60)).toBe(a.slice(Math.max(0, at - 20), at + 60));
}

type Call = [id: string, name: string, given: object];

/** A model's answer that calls tools. */
function callingAll(calls: readonly Call[], text = 'Well'): { pieces: string[] } {
  const tool_calls = calls.map(([id, name, given], index) => ({
    index,
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(given) },
  }));
  return { pieces: openAiStream([{ content: text }, { tool_calls }], 'tool_calls') };
}

/** One that says something and calls one. */
function calling(text: string, ...call: Call): { pieces: string[] } {
  return callingAll([call], text);
}

/** The events of a run, of each type in order. */
async function eventsOf({ server }: Rig, id: string): Promise<(type: string) => Json[]> {
  const text = await (await fetch(`${server.url}/api/chat/runs/${id}/events`)).text();
  const events = text
    .split('\n')
    .flatMap((line): Json[] => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));
  return (type) => events.filter((event) => event.type === type).map(({ data }) => data);
}

async function must(rig: Rig, path: string, body?: object): Promise<Json> {
  const answer = await rig.server.call(path, body);
  expect([path, answer.status, answer.body.error]).toEqual([path, expect.toBeOneOf([200, 201]), undefined]);
  return answer.body;
}

onBothDatabases((rig) => {
  it('in questions to people, their answers, and what comes of them', async () => {
    for (const text of SAID) {
      const { id } = await rig().create();
      const given = { path: 'made', content: text };
      rig().upstream.replies.push(calling(text, 'call_1', 'write_file', given), {
        pieces: openAiStream([{ content: text }]),
      });
      const path = `${CONVERSATIONS}/${id}/messages/with-tools`;
      const asked = await must(rig(), path, { content: text, model: MODEL });
      const [approval] = asked.pendingApprovals;
      same([text, text, given], [asked.userMessage.content, asked.assistantMessage.content, approval.params]);
      const { approvals } = await must(rig(), `/api/chat/approvals?conversationId=${id}`);
      same([approval], approvals);
      await must(rig(), `/api/chat/runs/${asked.runId}/messages`, { content: text });
      const edited = { path: 'edited', content: `${text}!` };
      const answer = { conversationId: id, approvalId: approval.id, decision: 'allow-always', editedArguments: edited };
      const answered = await must(rig(), '/api/chat/tools/approve', answer);
      same(text, answered.message.content);
      const { run } = await must(rig(), `/api/chat/runs/${asked.runId}`);
      same([given, edited], [run.toolCalls[0].arguments, run.approvals[0].editedArguments]);
      const events = await eventsOf(rig(), asked.runId);
      same(
        [text, text],
        events('user_message').map(({ content }) => content),
      );
      same(
        text + text,
        events('content')
          .map((data) => data.text)
          .join(''),
      );
      same(given, events('tool:call')[0].arguments);
      same(given, events('approval:required')[0].params);
      same(text, events('summary')[0].summary);
      const { rules } = await must(rig(), '/api/chat/tools/rules?limit=1');
      same(edited, rules[0].match.arguments);
      const { messages } = await rig().read(id);
      const users = messages.flatMap(({ role, content }: Json) => (role === 'user' ? [content] : []));
      same([text, text], users);
      const sent = rig().upstream.sent.at(-1)!.body.messages;
      same(text, sent.findLast(({ role }: Json) => role === 'user').content);
      rig().upstream.reset();
    }
  });

  it('in the reason for a refusal, which the model reads, or it is refused', async () => {
    for (const reason of SAID) {
      const { id } = await rig().create();
      rig().upstream.replies.push(calling('x', 'call_1', 'write_file', { path: 'a', content: 'b' }));
      const asked = await must(rig(), `${CONVERSATIONS}/${id}/messages/with-tools`, { content: 'x', model: MODEL });
      const [{ id: approvalId }] = asked.pendingApprovals;
      const answer = { conversationId: id, approvalId, decision: 'deny', reason };
      rig().upstream.replies.push({ pieces: openAiStream([{ content: 'Well' }]) });
      const { status } = await rig().server.call('/api/chat/tools/approve', answer);
      if (isPlain(reason)) {
        expect([reason, status]).toEqual([reason, 200]);
        const { content } = rig()
          .upstream.sent.at(-1)!
          .body.messages.findLast(({ role }: Json) => role === 'tool');
        expect(content).toContain(readableText(reason));
      } else expect([200, 400]).toContain(status);
      rig().upstream.reset();
    }
  });

  it('in what tools read and answer', async () => {
    const { id } = await rig().create();
    for (const text of SAID) {
      const body = { content: 'x', model: MODEL, securityMode: 'full' };
      rig().upstream.replies.push(
        calling('x', 'call_1', 'write_file', { path: 'a', content: text }),
        calling('y', 'call_2', 'read_file', { path: 'a' }),
        { pieces: openAiStream([{ content: 'z' }]) },
      );
      const { toolCalls } = await must(rig(), `${CONVERSATIONS}/${id}/messages/with-tools`, body);
      // A file is UTF-8; one with a NUL is not text.
      const [, { status, result }] = toolCalls;
      if (text.includes('\0')) expect(status).toBe('error');
      else same(readableText(text), result.replace(/\n?\[�.*\]$/s, ''));
      rig().upstream.reset();
    }
  });

  // No more calls than that are carried out of one answer.
  it.each([0, 100])('in the ids and names that a model gives to its calls, from %i on', async (from) => {
    const { id } = await rig().create();
    const path = `${CONVERSATIONS}/${id}/messages/with-tools`;
    const given = { path: 'a', content: 'b' };
    const texts = SAID.filter(({ length }) => length <= 200).slice(from, from + 100);
    expect(texts.length).toBeGreaterThan(10);
    rig().upstream.replies.push(callingAll(texts.map((text) => [text, 'write_file', given])));
    const asked = await must(rig(), path, { content: 'x', model: MODEL });
    expect(asked.finishReason).toBe('approval-required');
    const ids = asked.toolCalls.map((call: Json) => call.id);
    expect(new Set(ids).size).toBe(texts.length);
    // What a database cannot hold as it is stands for no call; the question has its run all the same.
    const isHeld = (text: string) => text.isWellFormed() && !text.includes('\0');
    same(
      ids.map((text: string) => (isHeld(text) ? text : '')),
      asked.pendingApprovals.map(({ toolCallId }: Json) => toolCallId),
    );
    const { run } = await must(rig(), `/api/chat/runs/${asked.runId}/cancel`, {});
    expect(run.status).toBe('cancelled');
    rig().upstream.replies.push(callingAll(texts.map((text, i) => [`call_${i}`, text, { [text]: text }])));
    const { toolCalls } = await must(rig(), path, { content: 'x', model: MODEL });
    same(
      texts.map((text) => ({ arguments: { [text]: text }, status: 'error' })),
      toolCalls.map(({ arguments: args, status }: Json) => ({ arguments: args, status })),
    );
    rig().upstream.reset();
  });
});
