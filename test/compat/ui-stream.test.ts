import { Chat } from '@ai-sdk/react';
import {
  DefaultChatTransport,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  readUIMessageStream,
  safeValidateUIMessages,
  type UIMessage,
  type UIMessageChunk,
  uiMessageChunkSchema,
} from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UiProjection } from '../../src/compat/ui-stream-projection.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

let server: TestServer;
/** Each chunk that any chat was sent, as it was on the wire. */
const chunks: Json[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

/** Notes what is sent, and leaves it as it is. */
const noting: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const [one, other] = response.body?.tee() ?? [null, null];
  if (other && response.ok) void note(other);
  return new Response(one, response);
};

async function note(body: ReadableStream<Uint8Array>): Promise<void> {
  let text = '';
  try {
    for await (const piece of body.pipeThrough(new TextDecoderStream() as never)) text += piece as unknown as string;
  } catch {
    // The chat has left.
  }
  for (const line of text.split('\n'))
    if (line.startsWith('data: {') && line.endsWith('}')) chunks.push(JSON.parse(line.slice(6)));
}

/** Of what we send, all that `ai` 6.0.0 takes: it ends at any other type or field. Source: its `uiMessageChunkSchema`. */
const FIELDS: Readonly<Record<string, string[]>> = {
  start: ['messageId', 'messageMetadata'],
  'start-step': [],
  'reasoning-start': ['id'],
  'reasoning-delta': ['id', 'delta'],
  'reasoning-end': ['id'],
  'text-start': ['id'],
  'text-delta': ['id', 'delta'],
  'text-end': ['id'],
  'tool-input-available': ['toolCallId', 'toolName', 'input', 'dynamic'],
  'tool-approval-request': ['approvalId', 'toolCallId'],
  'tool-output-available': ['toolCallId', 'output'],
  'tool-output-error': ['toolCallId', 'errorText'],
  'tool-output-denied': ['toolCallId'],
  data: ['id', 'data', 'transient'],
  'finish-step': [],
  'message-metadata': ['messageMetadata'],
  finish: ['finishReason', 'messageMetadata'],
  abort: [],
  error: ['errorText'],
};

interface Options {
  id?: string;
  body?: object;
  messages?: UIMessage[];
  automatic?: boolean;
}

function chat({ id, body = {}, messages, automatic = false }: Options = {}): Chat<UIMessage> {
  return new Chat<UIMessage>({
    ...(id === undefined ? {} : { id }),
    ...(messages ? { messages } : {}),
    ...(automatic ? { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses } : {}),
    transport: new DefaultChatTransport({
      api: `${server.url}/api/chat/ui`,
      body: { model: 'demo', ...body },
      fetch: noting,
    }),
  });
}

function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('|');
}

function callsOf(message: UIMessage | undefined): Json[] {
  return (message?.parts ?? []).filter(isToolUIPart);
}

const meta = (message: UIMessage | undefined): Json => message?.metadata;

async function conversation(one: Chat<UIMessage>): Promise<Json> {
  const id = meta(one.messages.findLast(({ role }) => role === 'assistant')).conversationId;
  return (await server.call(`/api/chat/conversations/${id}`)).body;
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const WRITE = '/tool write_file {"path": "a.txt", "content": "A"}\n/next\n/say Written';

describe('the UI message stream', () => {
  it('brings reasoning, text and the results of tools, and keeps the conversation', async () => {
    const one = chat();
    await one.sendMessage({ text: '/reason Hm\n/say Let me look\n/tool list_directory\n/next\n/say Done' });
    expect(one.error).toBeUndefined();
    const [, answer] = one.messages;
    expect(answer?.parts.map(({ type }) => type)).toEqual([
      ...['step-start', 'reasoning', 'text', 'dynamic-tool', 'step-start', 'text'],
    ]);
    expect(callsOf(answer)).toMatchObject([{ toolName: 'list_directory', state: 'output-available', input: {} }]);
    expect(meta(answer)).toMatchObject({ status: 'completed', model: 'demo', steps: 2, stopReason: 'completed' });
    expect(meta(answer).usage.totalTokens).toBeGreaterThan(0);
    await one.sendMessage({ text: '/say Again' });
    expect(textOf(one.messages.at(-1))).toBe('Again');
    const { messages } = await conversation(one);
    expect(messages.map(({ role }: Json) => role)).toEqual(['user', 'assistant', 'assistant', 'user', 'assistant']);
    expect((await safeValidateUIMessages({ messages: one.messages })).success).toBe(true);
  });

  it('has the text of every piece, with the headers of the protocol, and ends with [DONE]', async () => {
    const body = { id: 'pieces', model: 'demo', messages: [user('m1', '/stream 40')] };
    const response = await post(body);
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await response.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const sent: UIMessageChunk[] = text
      .split('\n\n')
      .filter((block) => block.startsWith('data: {'))
      .map((block) => JSON.parse(block.slice(6)));
    const whole = sent.flatMap((chunk) => (chunk.type === 'text-delta' ? [chunk.delta] : [])).join('');
    const stream = new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        for (const chunk of sent) controller.enqueue(chunk);
        controller.close();
      },
    });
    let read: UIMessage | undefined;
    for await (const message of readUIMessageStream({ stream })) read = message;
    expect(whole.length).toBeGreaterThan(100);
    expect(textOf(read)).toBe(whole);
  });

  it('asks, goes on in the same message when the call is allowed, and does it', async () => {
    const one = chat({ automatic: true });
    await one.sendMessage({ text: WRITE });
    const [asked] = callsOf(one.messages.at(-1));
    expect(asked).toMatchObject({ toolName: 'write_file', state: 'approval-requested' });
    expect(one.messages.at(-1)?.parts.at(-1)).toMatchObject({ type: 'data-approval', id: asked.approval.id });
    expect(meta(one.messages.at(-1)).status).toBe('waiting_approval');
    await one.addToolApprovalResponse({ id: asked.approval.id, approved: true });
    await until(() => meta(one.messages.at(-1)).status === 'completed' && one.status === 'ready');
    expect(one.messages).toHaveLength(2);
    expect(callsOf(one.messages[1])).toMatchObject([{ state: 'output-available' }]);
    expect(textOf(one.messages[1])).toBe('Written');
  });

  it('does not do what is denied, and tells the model why', async () => {
    const one = chat({ automatic: true });
    await one.sendMessage({ text: '/tool write_file {"path": "b.txt", "content": "B"}\n/next' });
    const [asked] = callsOf(one.messages.at(-1));
    await one.addToolApprovalResponse({ id: asked.approval.id, approved: false, reason: 'not on a Sunday' });
    await until(() => meta(one.messages.at(-1)).status === 'completed' && one.status === 'ready');
    expect(callsOf(one.messages[1])).toMatchObject([{ state: 'output-denied' }]);
    expect(textOf(one.messages[1])).toContain('not on a Sunday');
  });

  it('takes several answers at once, one of which somebody has given elsewhere', async () => {
    const one = chat({ automatic: true });
    const write = (name: string) => `/tool write_file {"path": "${name}", "content": "C"}`;
    await one.sendMessage({ text: `${write('c.txt')}\n${write('d.txt')}\n/next\n/say Both` });
    const [first, second] = callsOf(one.messages.at(-1));
    const { conversationId } = meta(one.messages.at(-1));
    const elsewhere = { conversationId, approvalId: first.approval.id, decision: 'deny' };
    await server.call('/api/chat/tools/approve', elsewhere);
    await one.addToolApprovalResponse({ id: first.approval.id, approved: true });
    await one.addToolApprovalResponse({ id: second.approval.id, approved: true });
    await until(() => meta(one.messages.at(-1)).status === 'completed' && one.status === 'ready');
    // The message has the first as allowed, so it cannot have it as denied, too.
    expect(callsOf(one.messages[1]).map(({ state }) => state)).toEqual(['output-error', 'output-available']);
    expect(callsOf(one.messages[1])[0].errorText).toContain('a person has not allowed it');
    expect(textOf(one.messages[1])).toBe('Both');
    expect((await safeValidateUIMessages({ messages: one.messages })).success).toBe(true);
  });

  it.each([true, false])(
    'is taken up after the answer %s to a question, as the client’s own check has it',
    async (approved) => {
      const one = chat({ automatic: true });
      await one.sendMessage({ text: '/tool write_file {"path": "e.txt", "content": "E"}\n/next\n/say On\n/stall' });
      const [asked] = callsOf(one.messages[1]);
      await one.addToolApprovalResponse({ id: asked.approval.id, approved, reason: 'so be it' });
      await until(() => textOf(one.messages[1]) === 'On');
      const other = chat({ id: one.id, messages: one.messages });
      const resumed = other.resumeStream();
      await until(() => other.status === 'streaming' && textOf(other.messages[1]) === 'On');
      await server.call(`/api/chat/runs/${meta(one.messages[1]).runId}/cancel`, {});
      await resumed;
      expect(callsOf(one.messages[1])).toMatchObject([{ state: approved ? 'output-available' : 'output-denied' }]);
      const told = approved ? { state: 'output-available' } : { errorText: expect.stringContaining('so be it') };
      expect(callsOf(other.messages[1])).toMatchObject([told]);
      for (const { messages } of [one, other])
        expect(await safeValidateUIMessages({ messages })).toMatchObject({ success: true });
    },
  );

  it('refuses a call by its mode with the reason, as an error', async () => {
    const one = chat({ body: { securityMode: 'allowlist' } });
    await one.sendMessage({ text: WRITE });
    const [call] = callsOf(one.messages.at(-1));
    expect(call.state).toBe('output-error');
    expect(call.errorText.length).toBeGreaterThan(10);
  });

  it('regenerates the last answer', async () => {
    const one = chat();
    await one.sendMessage({ text: '/say First' });
    await one.sendMessage({ text: '/tool list_directory\n/next\n/say Second' });
    const before = one.messages.at(-1)?.id;
    await one.regenerate();
    expect(one.error).toBeUndefined();
    expect(one.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(one.messages.at(-1)?.id).not.toBe(before);
    const { messages } = await conversation(one);
    expect(messages.map(({ content }: Json) => content)).toEqual([
      ...['/say First', 'First', '/tool list_directory\n/next\n/say Second', '', 'Second'],
    ]);
  });

  it('puts an edited message in place of what was said since', async () => {
    const one = chat();
    await one.sendMessage({ text: '/say First' });
    await one.sendMessage({ text: '/say Second' });
    await one.sendMessage({ text: '/say Other', messageId: one.messages[0]?.id ?? '' });
    expect(one.error).toBeUndefined();
    expect(one.messages.map(textOf)).toEqual(['/say Other', 'Other']);
    const { messages } = await conversation(one);
    expect(messages.map(({ content }: Json) => content)).toEqual(['/say Other', 'Other']);
  });

  it('is taken up in the middle by another client, and answers 204 before and after', async () => {
    const id = 'resumed';
    const stream = `${server.url}/api/chat/ui/${id}/stream`;
    expect((await fetch(stream)).status).toBe(204);
    const one = chat({ id });
    const sent = one.sendMessage({ text: '/reason Hm\n/stream 60 20' });
    await until(() => textOf(one.messages.at(-1)).length > 20 && one.messages.length === 2);
    const other = chat({ id, messages: one.messages.slice(0, 1) });
    const resumed = other.resumeStream();
    await until(() => other.messages.length === 2);
    await one.stop();
    await Promise.all([sent, resumed]);
    const seen = textOf(one.messages[1]);
    expect(meta(other.messages[1]).status).toBe('completed');
    expect(textOf(other.messages[1]).startsWith(seen)).toBe(true);
    expect(textOf(other.messages[1]).length).toBeGreaterThan(seen.length);
    expect(other.messages[1]?.id).toBe(one.messages[1]?.id);
    expect((await fetch(stream)).status).toBe(204);
  });

  it('ends with abort when the run is cancelled, and with the error when it fails', async () => {
    const one = chat();
    const sent = one.sendMessage({ text: '/say On and on\n/stall' });
    await until(() => textOf(one.messages[1]).includes('On and on'));
    await server.call(`/api/chat/runs/${meta(one.messages[1]).runId}/cancel`, {});
    await sent;
    expect(one.status).toBe('ready');
    expect(meta(one.messages[1])).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
    const other = chat();
    await other.sendMessage({ text: '/fail 401 The key is wrong' });
    expect(other.status).toBe('error');
    expect(other.error?.message).toContain('The key is wrong');
    expect(meta(other.messages[1])).toMatchObject({ status: 'failed', error: { code: 'provider_auth' } });
    // The message is there, and can be tried again.
    await other.regenerate();
    expect(other.error?.message).toContain('The key is wrong');
  });

  it('tells what an attempt has said in vain', async () => {
    const one = chat();
    await one.sendMessage({ text: '/say In vain\n/cut 503 Gone' });
    const parts = one.messages[1]?.parts ?? [];
    const resets = parts.filter(({ type }) => type === 'data-reset');
    expect(resets).toMatchObject([{ data: { step: 1 } }, { data: { step: 1 } }]);
    expect(parts.slice(0, 4).map(({ type }) => type)).toEqual(['step-start', 'text', 'data-reset', 'step-start']);
  }, 20_000);

  it('does a message once, however often and at once it is sent', async () => {
    const body = { id: 'once', model: 'demo', messages: [user('m1', '/stream 5')] };
    const atOnce = Array.from({ length: 12 }, async () => (await post(body)).text());
    const answers = await Promise.all(atOnce);
    answers.push(await (await post(body)).text());
    const joined = answers.map((text) => [...text.matchAll(/"delta":"(.*?)"/g)].map(([, delta]) => delta).join(''));
    expect(new Set(joined).size).toBe(1);
    const runIds = answers.map((text) => /"runId":"(.*?)"/.exec(text)?.[1]);
    expect(new Set(runIds).size).toBe(1);
    const { body: run } = await server.call(`/api/chat/runs/${runIds[0]}`);
    const { body: kept } = await server.call(`/api/chat/conversations/${run.run.conversationId}`);
    expect(kept.messages).toHaveLength(2);
  });

  it('takes the history of a chat that it does not know, files, and the id of a conversation', async () => {
    const messages = [user('a', 'Hello'), { id: 'b', role: 'assistant' as const, parts: [text('Hi')] }];
    const one = chat({ messages, body: { systemPrompt: 'Be brief' } });
    const url = `data:image/png;base64,${Buffer.from('\x89PNG\r\n').toString('base64')}`;
    await one.sendMessage({ text: '/say Seen', files: [{ type: 'file', mediaType: 'image/png', url }] });
    expect(one.error).toBeUndefined();
    const kept = await conversation(one);
    expect(kept.messages.map(({ role }: Json) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(kept.messages[2].content).toEqual([
      { type: 'image', image: url },
      { type: 'text', text: '/say Seen' },
    ]);
    const other = chat({ id: kept.conversation.id });
    await other.sendMessage({ text: '/say The same' });
    expect(meta(other.messages[1]).conversationId).toBe(kept.conversation.id);
  });

  it('names what is wrong before anything is kept', async () => {
    const refused = async (body: object) => (await post({ id: 'wrong', ...body })).json() as Promise<Json>;
    const unknown = await refused({ messages: [user('m', 'x')], colour: 'red', securityMode: 'some' });
    expect(unknown.details.issues.map(({ path }: Json) => path)).toEqual(
      expect.arrayContaining(['colour', 'securityMode']),
    );
    const file = { type: 'file', mediaType: 'text/plain', url: 'blob:1' };
    const bad = await refused({ messages: [{ id: 'm', role: 'user', parts: [file] }] });
    expect(bad.details.issues).toMatchObject([{ path: 'messages.0.parts.0.url' }]);
    const answered = await refused({ messages: [{ id: 'b', role: 'assistant', parts: [text('Hi')] }] });
    expect(answered.details.issues).toMatchObject([{ path: 'messages.0' }]);
    const system = await refused({ messages: [{ id: 's', role: 'system', parts: [text('Be')] }, user('m', 'x')] });
    expect(system.details.issues).toMatchObject([{ path: 'messages.0.role' }]);
    const nobodys = await post({ id: `conv_${'0'.repeat(24)}`, messages: [user('m', 'x')] });
    expect(nobodys.status).toBe(404);
    const none = { state: 'approval-responded', approval: { id: 'approval_1', approved: true } };
    const part = { type: 'dynamic-tool', toolName: 'exec', toolCallId: 'c', input: {}, ...none };
    expect((await post({ id: 'wrong', messages: [{ id: 'a', role: 'assistant', parts: [part] }] })).status).toBe(404);
    expect((await fetch(`${server.url}/api/chat/ui/wrong/stream`)).status).toBe(204);
  });

  it('keeps nothing of the output of a call under way in the message', () => {
    const event = { seq: 1, firstSeq: 1, timestamp: 0, type: 'tool:progress', data: '{"toolCallId":"c","text":"1 %"}' };
    const made = new UiProjection().chunks(event);
    expect(made).toEqual([{ type: 'data-progress', data: { toolCallId: 'c', text: '1 %' }, transient: true }]);
    chunks.push(...made);
  });

  it('has sent nothing but what the client’s own schema takes', async () => {
    const schema = (uiMessageChunkSchema as () => Json)();
    expect(new Set(chunks.map(({ type }) => type)).size).toBeGreaterThan(12);
    for (const chunk of chunks) {
      const { success } = await schema.validate(chunk);
      expect(success, JSON.stringify(chunk)).toBe(true);
      const { type, ...fields } = chunk;
      const known = type.startsWith('data-') ? FIELDS.data : FIELDS[type];
      expect(known, JSON.stringify(chunk)).toEqual(expect.arrayContaining(Object.keys(fields)));
    }
  });
});

function text(words: string) {
  return { type: 'text' as const, text: words };
}

function user(id: string, words: string) {
  return { id, role: 'user' as const, parts: [text(words)] };
}

function post(body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${server.url}/api/chat/ui`, { method: 'POST', headers, body: JSON.stringify(body) });
}
