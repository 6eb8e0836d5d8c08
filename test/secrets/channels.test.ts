import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp, dial, type Program, start, tempFolder } from '../process/program.ts';
import type { Json } from '../server.ts';
import { type BadUpstream, delta, reply, STREAM_HEAD, sse, startBadUpstream } from '../upstream/bad-upstream.ts';
import { CHOSEN, configure, environment, everyForm, GIVEN, post, STORED, seen } from './kinds.ts';

vi.setConfig({ testTimeout: 120_000 });

const { 'the access key': ACCESS_KEY, 'the password of the database': PASSWORD } = CHOSEN;

const PRELOAD = new URL('./crash-on-signal.ts', import.meta.url).href;

afterAll(cleanUp);

/** Has a program crash with every form of the secrets, and gives what it wrote. */
async function crash(program: Program, file: string, secrets: Record<string, string>): Promise<string> {
  writeFileSync(file, JSON.stringify(everyForm(secrets).map(({ text }) => text)));
  program.child.kill('SIGUSR2');
  expect(await program.ended).toMatchObject({ code: 1 });
  expect(program.stderr()).toContain('profclaw: broken: [secret]');
  const lines = program.stderr().split('\n');
  const logged = lines.filter((line) => line.startsWith('{"level":')).map((line) => JSON.parse(line) as Json);
  const fatal = logged.find(({ level }) => level === 60);
  // It was all there: what is missing was struck out, not left out.
  expect(fatal.err.message.split('[secret]').length).toBeGreaterThan(Object.keys(secrets).length);
  expect(fatal.err.texts).toHaveLength(everyForm(secrets).length);
  expect(fatal.err.request.headers.texts).toEqual(fatal.err.texts);
  expect(JSON.stringify(fatal.err.stack)).toContain('[secret]');
  return program.stderr() + logged.map((line) => texts(line).join('\n')).join('\n');
}

/** Every text in a value, as it is meant. */
function texts(value: Json): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

describe.concurrent('what the operator sees', () => {
  it('the message of a start that fails has no secret', async () => {
    for (const secrets of [GIVEN, CHOSEN]) {
      const words = everyForm(secrets).map(({ text }) => text);
      const program = start({
        ...environment(),
        PROFCLAW_ACCESS_KEY: ACCESS_KEY,
        DATABASE_URL: `postgres://user:${encodeURIComponent(PASSWORD)}@127.0.0.1:9/db`,
        // Its message repeats the name of the folder.
        PROFCLAW_HOME: `/dev/null/${words.join(' ')}`,
      });
      expect(await program.ended).toMatchObject({ code: 1 });
      expect(program.stderr()).toContain('Cannot keep anything in the home folder /dev/null/[secret]');
      expect(seen(secrets, program.stderr())).toEqual([]);
    }
  });

  it('the log, and what is said of a crash, have none of what the environment gave', async () => {
    // A database that takes the connection and says nothing: the start waits for it.
    const database = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(database, 'listening');
    const connected = once(database, 'connection');
    const file = join(tempFolder(), 'texts');
    const program = start({
      ...environment(),
      PROFCLAW_ACCESS_KEY: ACCESS_KEY,
      DATABASE_URL: `postgres://user:${encodeURIComponent(PASSWORD)}@127.0.0.1:${(database.address() as AddressInfo).port}/db`,
      NODE_OPTIONS: `--import ${PRELOAD}`,
      CRASH_TEXTS: file,
    });
    const [socket] = await connected;
    const all = { ...GIVEN, ...CHOSEN };
    const written = await crash(program, file, all);
    socket.destroy();
    database.close();
    expect(seen(all, written)).toEqual([]);
  });

  it('nor the key in the file, nor what was stored or replaced while it ran', async () => {
    const file = join(tempFolder(), 'texts');
    const program = start({ NODE_OPTIONS: `--import ${PRELOAD}`, CRASH_TEXTS: file });
    const url = await program.listening;
    await configure(url, 'xai', { apiKey: STORED['a replaced key'] });
    await configure(url, 'xai', { apiKey: STORED['a stored key'] });
    const key = readFileSync(join(program.home, 'secret.key'), 'utf8').trim();
    const bytes = Buffer.from(key, 'hex');
    // A path is logged as it came.
    const line = await dial(url);
    line.socket.end(`GET /${STORED['a stored key']} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n\r\n`);
    await line.closed;
    const all = { ...STORED, 'the key file': key, 'the key': bytes.toString('base64') };
    const written = await crash(program, file, all);
    expect(written).toContain('"path":"/[secret]"');
    expect(seen(all, written)).toEqual([]);
  });
});

describe('what a caller sees', () => {
  /** So many as fit into the words of a provider that are passed on. */
  const AT_ONCE = 6;
  const SECRETS = { ...GIVEN, ...STORED };
  const CHUNKS = chunks(everyForm(SECRETS).map(({ text }) => text));
  let upstream: BadUpstream;
  let program: Program;
  let url: string;

  beforeAll(async () => {
    upstream = await startBadUpstream();
    program = start({ ...environment(upstream.url) });
    url = await program.listening;
    await configure(url, 'xai', { apiKey: STORED['a replaced key'] });
    await configure(url, 'xai', { apiKey: STORED['a stored key'] });
  });
  afterAll(() => upstream.close());

  const says = (words: string): string =>
    `custom:gossip/${upstream.script(({ socket }) => socket.write(reply(400, { error: { message: words } }))).model}`;
  const breaksWith = (words: string): string =>
    `custom:gossip/${
      upstream.script(({ socket }) => socket.end(STREAM_HEAD + delta('Well') + sse({ error: { message: words } })))
        .model
    }`;

  /** What the channel makes of words that have all of the secrets in them. */
  async function through(channel: (words: string) => Promise<string>): Promise<string[]> {
    const all: string[] = [];
    for (const chunk of CHUNKS) {
      const got = await channel(`I know: ${chunk.join(' and ')}; that was all.`);
      // As many as there were.
      expect(got.split('[secret]').length - 1, got).toBeGreaterThanOrEqual(chunk.length);
      expect(got).toContain('that was all');
      all.push(got);
    }
    return seen(SECRETS, ...all);
  }

  const ask = (model: string, more: object = {}): Promise<string> =>
    post(`${url}/api/chat/completions`, { model, messages: [{ role: 'user', content: 'Hi' }], ...more });

  it('no error has a secret', async () => {
    expect(await through((words) => ask(says(words)))).toEqual([]);
  });

  it('no attempt in its details has one', async () => {
    const refuses = (words: string): string =>
      `custom:gossip/${upstream.script(({ socket }) => socket.write(reply(401, { error: { message: words } }))).model}`;
    const got = await through(async (words) => {
      const text = await ask(refuses(words), { fallbacks: [refuses(words)] });
      const { attempts } = JSON.parse(text).details;
      const both = { status: 'failed', error: expect.stringContaining('that was all') };
      expect(attempts).toMatchObject([both, both]);
      return text;
    });
    expect(got).toEqual([]);
  });

  it('no event of a stream has one', async () => {
    const got = await through(async (words) => {
      const text = await ask(breaksWith(words), { stream: true });
      expect(text).toContain('data: {"content":"Well"}');
      return text;
    });
    expect(got).toEqual([]);
  });

  it('no turn that failed has one, streamed or not, nor any file', async () => {
    const created = JSON.parse(await post(`${url}/api/chat/conversations`, {})) as Json;
    const path = `${url}/api/chat/conversations/${created.conversation.id}`;
    const got = await through(async (words) => {
      const whole = await post(`${path}/messages`, { content: 'Hi', model: says(words) });
      const stream = await post(`${path}/messages`, { content: 'Hi', model: breaksWith(words), stream: true });
      const messages = await (await fetch(path)).text();
      const stored = (JSON.parse(messages) as Json).messages.slice(-2).map(({ error }: Json) => error.message);
      expect(stored).toEqual([expect.stringContaining('that was all'), expect.stringContaining('that was all')]);
      return whole + stream + messages;
    });
    expect(got).toEqual([]);
    const files = readdirSync(program.home).map((name) => readFileSync(join(program.home, name), 'utf8'));
    expect(files.join('')).toContain('that was all');
    expect(seen(SECRETS, ...files)).toEqual([]);
  });

  it('no provider is unwell with one', async () => {
    const server = createHttpServer((_, response) => response.writeHead(401).end(JSON.stringify({ error: words })));
    let words = '';
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await configure(url, 'custom:unwell', { baseUrl });
    const got = await through(async (chunk) => {
      words = chunk;
      const health = await post(`${url}/api/chat/providers/custom:unwell/health`, {});
      return health + (await (await fetch(`${url}/api/chat/providers`)).text());
    });
    server.close();
    expect(got).toEqual([]);
  });

  it('an answer is left as it is', async () => {
    const words = `You asked for ${GIVEN['a key']}`;
    const { model } = upstream.script(({ socket }) =>
      socket.write(
        reply(200, { choices: [{ message: { role: 'assistant', content: words }, finish_reason: 'stop' }] }),
      ),
    );
    expect(await ask(`custom:gossip/${model}`)).toContain(words);
  });

  function chunks(all: string[]): string[][] {
    return Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, i) => all.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
  }
});

it('a stranger is not told that he has guessed the access key', async () => {
  const program = start({ PROFCLAW_ACCESS_KEY: ACCESS_KEY });
  const url = await program.listening;
  const tries = [ACCESS_KEY, ACCESS_KEY.replace('0', '1')].map(async (guess) => {
    const answer = await (await fetch(`${url}/${encodeURIComponent(guess)}`)).text();
    return answer.replaceAll(encodeURIComponent(guess), 'GUESS').replace(/req_\w+/, '');
  });
  const [right, wrong] = await Promise.all(tries);
  expect(right).toBe(wrong);
  expect(right).not.toContain('[secret]');
});
