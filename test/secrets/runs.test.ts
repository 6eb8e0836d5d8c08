import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp, type Program, start, tempFolder } from '../process/program.ts';
import type { Json } from '../server.ts';
import {
  answer,
  type BadUpstream,
  delta,
  reply,
  type Scripted,
  STREAM_HEAD,
  sse,
  startBadUpstream,
} from '../upstream/bad-upstream.ts';
import { configure, environment, everyForm, GIVEN, post, STORED, seen } from './kinds.ts';

// What a run does is told in many places: in its events, in what the tools answer, in the questions to people.

vi.setConfig({ testTimeout: 120_000 });

const CHAT = '/api/chat';
const SECRETS = { ...GIVEN, ...STORED };
const FORMS = everyForm(SECRETS).map(({ text }) => text);
/** So many as fit into the words of a provider that are passed on. */
const AT_ONCE = 6;
const CHUNKS = Array.from({ length: Math.ceil(FORMS.length / AT_ONCE) }, (_, i) =>
  FORMS.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
);

let upstream: BadUpstream;
let workspace: string;
let program: Program;
let url: string;

beforeAll(async () => {
  upstream = await startBadUpstream();
  workspace = tempFolder();
  writeFileSync(join(workspace, 'all'), `I know:\n${FORMS.join('\n')}\nthat was all.`);
  mkdirSync(join(workspace, 'each'));
  for (const [index, text] of FORMS.entries())
    writeFileSync(join(workspace, 'each', `${1000 + index}`), `I know ${text};\n`);
  const more = { PROFCLAW_WORKSPACE: workspace, PROFCLAW_LOG_LEVEL: 'trace' };
  program = start({ ...environment(upstream.url), ...more });
  url = await program.listening;
  await configure(url, 'xai', { apiKey: STORED['a replaced key'] });
  await configure(url, 'xai', { apiKey: STORED['a stored key'] });
});
afterAll(async () => {
  await upstream.close();
  await cleanUp();
});

const get = async (path: string): Promise<string> => await (await fetch(url + path)).text();

/** A new conversation: its path. */
async function conversation(): Promise<string> {
  return `${CHAT}/conversations/${JSON.parse(await post(`${url}${CHAT}/conversations`, {})).conversation.id}`;
}

/** Everything that is told of the runs of a conversation afterwards. */
async function told(path: string): Promise<string> {
  const of = path.split('/').at(-1);
  const list = await get(`${CHAT}/runs?conversationId=${of}`);
  const { runs } = JSON.parse(list) as Json;
  expect(runs.length).toBeGreaterThan(0);
  const each: string[] = runs.flatMap(({ id }: Json) => [`${CHAT}/runs/${id}`, `${CHAT}/runs/${id}/events`]);
  const kept = [path, `${path}/export`, `${path}/export?format=markdown`, `${CHAT}/approvals?conversationId=${of}`];
  return list + (await Promise.all([...each, ...kept].map(get))).join('');
}

/** Sends a message with tools, whole and streamed, and starts a run of it. */
async function sendAll(path: string, body: object): Promise<string[]> {
  const whole = await post(`${url}${path}/messages/with-tools`, body);
  const stream = await post(`${url}${path}/messages/with-tools`, { ...body, stream: true });
  return [whole, stream, await post(`${url}${path}/messages/agentic`, body)];
}

describe('a model’s failure', () => {
  /** What is told of runs whose model has failed with these words. */
  async function through(model: (words: string) => Scripted, isPatient: boolean): Promise<string[]> {
    const all = CHUNKS.map(async (chunk) => {
      const path = await conversation();
      const words = `I know: ${chunk.join(' and ')}; that was all.`;
      const body = { content: 'Hi', model: `custom:gossip/${model(words).model}` };
      const sent = isPatient
        ? [await post(`${url}${path}/messages/agentic`, body)]
        : [...(await sendAll(path, body)), await post(`${url}${path}/retry`, {})];
      for (const text of sent) {
        expect(text).toContain('that was all');
        expect(text.split('[secret]').length - 1, text).toBeGreaterThanOrEqual(chunk.length);
      }
      return sent.join('') + (await told(path));
    });
    return seen(SECRETS, ...(await Promise.all(all)));
  }

  it('leaves no secret in a run, nor in what is told of it', async () => {
    const refusing = (words: string) =>
      upstream.script(({ socket }) => socket.write(reply(400, { error: { message: words } })));
    expect(await through(refusing, false)).toEqual([]);
  });

  it('nor where a step is tried again', async () => {
    const breaking = (words: string) =>
      upstream.script(({ socket }) => socket.end(STREAM_HEAD + delta('Well') + sse({ error: { message: words } })));
    expect(await through(breaking, true)).toEqual([]);
    const { runs } = JSON.parse(await get(`${CHAT}/runs?limit=1`)) as Json;
    expect(await get(`${CHAT}/runs/${runs[0].id}/events`)).toMatch(/"type":"attempt:reset".*\[secret\]/);
  });
});

describe('what a tool finds', () => {
  it('reaches neither callers nor models with a secret', async () => {
    const path = await conversation();
    const body = { content: '/tool read_file {"path":"all"}', securityMode: 'full', model: 'demo' };
    const sent = await sendAll(path, body);
    for (const text of sent) {
      expect(text).toContain('that was all');
      expect(text.split('[secret]').length - 1).toBeGreaterThanOrEqual(FORMS.length);
    }
    const next = upstream.script(({ socket }) => socket.write(reply(200, answer('Well'))));
    await post(`${url}${path}/messages`, { content: 'Go on', model: `custom:gossip/${next.model}` });
    const read = JSON.stringify(next.seen.map((request) => request.body));
    expect(read).toContain('that was all');
    expect(seen(SECRETS, ...sent, read, await told(path))).toEqual([]);
  });

  it('nor does what a command writes that somebody has allowed', async () => {
    const path = await conversation();
    const asked = await post(`${url}${path}/messages/with-tools`, {
      content: '/tool exec {"command":"cat all; exit 3"}',
      model: 'demo',
    });
    const [{ id: approvalId, conversationId }] = (JSON.parse(asked) as Json).pendingApprovals;
    const allowed = await post(`${url}${CHAT}/tools/approve`, { conversationId, approvalId, decision: 'allow-once' });
    expect(JSON.parse(allowed)).toMatchObject({ success: false, result: expect.stringContaining('that was all') });
    expect(seen(SECRETS, asked, allowed, await told(path))).toEqual([]);
  });

  it('nor does it while the command runs, wherever its output is cut into pieces', async () => {
    const path = await conversation();
    // Every secret comes in two pieces, with a little time between.
    const command = 'for file in each/*; do head -c 15 $file; sleep 0.06; tail -c +16 $file; done';
    const sent = await post(`${url}${path}/messages/agentic`, {
      content: `/tool exec ${JSON.stringify({ command })}`,
      model: 'demo',
    });
    const events = [...sent.matchAll(/^data: (.*)$/gm)].map(([, json = '']): Json => JSON.parse(json));
    const pieces = events.flatMap(({ type, data }) => (type === 'tool:progress' ? [data.text] : []));
    expect(pieces.length).toBeGreaterThan(20);
    expect(pieces.join('').split('[secret]').length - 1).toBeGreaterThanOrEqual(FORMS.length);
    expect(seen(SECRETS, pieces.join(''), sent, await told(path))).toEqual([]);
  });
});

it('no file and no line of the log has one', () => {
  const files = readdirSync(program.home).map((name) => readFileSync(join(program.home, name), 'utf8'));
  expect(files.join('')).toContain('that was all');
  expect(program.stderr()).toContain('/messages/with-tools');
  expect(seen(SECRETS, ...files, program.stderr())).toEqual([]);
});
