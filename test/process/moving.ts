import { expect } from 'vitest';
import type { Json } from '../server.ts';
import { type Program, start, until } from './program.ts';

const PASSWORD = 'nine lives of a cat';
const CONVERSATIONS = '/api/chat/conversations';

/** Who calls a server that has accounts, and what is in it. */
export interface Filled {
  key: string;
  cookie: string;
  /** A run that waits for an answer to its question. */
  waiting: { id: string; conversationId: string; approvalId: string };
  /** What every answer is asked with later. */
  paths: string[];
}

/** What a server answers, as it is. */
export type Answers = Record<string, string>;

/** Runs a command of the program to its end. */
export async function command(
  environment: Record<string, string>,
  ...words: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const program = start(environment, undefined, words);
  program.listening.catch(() => {});
  const { code } = await program.ended;
  return { code, out: program.stdout(), err: program.stderr() };
}

/** Sends JSON as whoever has the key; without a body, GET. */
async function ask(url: string, key: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(url + path, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, connection: 'close' },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Makes something of every kind that the API can make. */
export async function fill(url: string): Promise<Filled> {
  const signup = await fetch(`${url}/api/auth/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'anna@example.com', password: PASSWORD, name: 'Anna' }),
  });
  expect(signup.status).toBe(201);
  const cookie = signup.headers.get('set-cookie')?.split(';')[0] ?? '';
  const made = await fetch(`${url}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ name: 'all', scopes: ['chat', 'tools', 'conversations:read', 'providers:write', 'admin'] }),
  });
  const { secret: key } = (await made.json()) as Json;
  const post = (path: string, body: object): Promise<Json> => ask(url, key, path, body);

  const preset = await post('/api/chat/presets', { name: 'Dry', systemPrompt: 'Be dry.', temperature: 0.1 });
  const task = await post('/api/tasks', { title: 'Tâche', prompt: 'p', labels: ['a', 'ü'] });
  const ticket = await post('/api/tickets', { title: 'Ticket 漢字', description: 'd' });
  await post('/api/invites', { email: 'ben@example.com' });
  await post('/api/chat/mcp/servers', {
    name: 'far',
    url: 'https://mcp.example.com/?k=hidden-in-here',
    enabled: false,
  });
  await post('/api/chat/providers/groq/configure', { apiKey: 'gsk-of-the-backup', defaultModel: 'm', enabled: false });
  await post('/api/chat/tools/rules', { tool: 'read_file', match: { path: 'notes/**' }, action: 'allow' });
  const talk = { title: 'Said before', metadata: { n: 1 }, systemPrompt: 'Short.', model: 'demo' };
  const messages = [
    { role: 'user', content: 'zebra crossing\u0000 \ud800 end' },
    { role: 'assistant', content: '**Look** both ways', reasoning: 'hm' },
  ];
  const { id } = (await post(`${CONVERSATIONS}/import`, { conversation: talk, messages })).conversation;
  await post(`${CONVERSATIONS}/${id}/messages`, { model: 'demo', content: '/say Fine' });
  const other = await post(CONVERSATIONS, {});
  const asked = await post(`${CONVERSATIONS}/${other.conversation.id}/messages/with-tools`, {
    model: 'demo',
    content: '/tool write_file {"path":"moved.txt","content":"x"}\n/next\n/say Written.',
  });
  const waiting = {
    id: asked.runId,
    conversationId: other.conversation.id,
    approvalId: asked.pendingApprovals[0].id,
  };
  const paths = [
    ...['/api/tasks', `/api/tasks/${task.task.id}`, '/api/tickets', `/api/tickets/${ticket.ticket.id}`],
    ...['/api/chat/presets', `/api/chat/presets/${preset.preset.id}`, '/api/chat/tools/rules', '/api/users'],
    ...['/api/invites', '/api/chat/mcp/servers', `${CONVERSATIONS}?q=zebra`],
    ...[`${CONVERSATIONS}/${id}`, `${CONVERSATIONS}/${id}/export?format=json`, `/api/chat/runs/${waiting.id}`],
    ...['/api/chat/approvals?status=pending', `${CONVERSATIONS}/${waiting.conversationId}`, '/api/audit?limit=5'],
  ];
  return { key, cookie, waiting, paths };
}

/** Asks for everything with the key, and who one is with the session. */
export async function answers(url: string, { key, cookie, paths }: Filled): Promise<Answers> {
  const all: Answers = {};
  for (const path of paths) {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${key}`, connection: 'close' } });
    all[path] = `${response.status} ${await response.text()}`;
  }
  const { providers } = await ask(url, key, '/api/chat/providers');
  // Without what each process finds out of their health.
  all.providers = JSON.stringify(
    providers.map(({ healthy: _, message: _of, latencyMs: _in, checkedAt: _at, ...rest }: Json) => rest),
  );
  const me = await fetch(`${url}/api/auth/me`, { headers: { cookie, connection: 'close' } });
  all.me = `${me.status} ${await me.text()}`;
  return all;
}

/** Starts a run that is at work for two seconds, and returns when it has begun to speak. */
export async function startRun(url: string, { key }: Filled): Promise<string> {
  const { conversation } = await ask(url, key, CONVERSATIONS, {});
  const stream = await fetch(`${url}${CONVERSATIONS}/${conversation.id}/messages/agentic`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, connection: 'close' },
    body: JSON.stringify({ model: 'demo', content: '/say One two three four\n/stream 4 500' }),
  });
  const reader = stream.body?.getReader();
  let seen = '';
  while (seen === '') {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) throw new Error(`the run ended: ${seen}`);
    seen += Buffer.from(value).toString();
  }
  await reader?.cancel();
  let run: Json;
  await until('the run is at work', async () => {
    [run] = (await ask(url, key, '/api/chat/runs?limit=1')).runs;
    return run.status === 'running';
  });
  return run.id;
}

/** Both runs go on: the one that was at work by itself, the other one when it is answered. */
export async function goOn(url: string, { key, waiting }: Filled, running: string): Promise<void> {
  const status = async (id: string): Promise<string> => (await ask(url, key, `/api/chat/runs/${id}`)).run.status;
  const { conversationId, approvalId } = waiting;
  await ask(url, key, '/api/chat/tools/approve', { conversationId, approvalId, decision: 'allow-once' });
  await until('the runs have ended', async () => {
    const states = [await status(waiting.id), await status(running)];
    if (states.includes('failed') || states.includes('cancelled')) throw new Error(states.join());
    return states.every((state) => state === 'completed');
  });
  const said = await ask(url, key, `/api/chat/runs/${running}`);
  expect(JSON.stringify(said)).toContain('completed');
}

/** Ends a server without a word, as a power cut does, or in order. */
export async function end({ child, ended }: Program, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  child.kill(signal);
  await ended;
}
