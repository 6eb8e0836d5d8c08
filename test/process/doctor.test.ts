import { chmodSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { anthropicMessages } from '../../src/cli/sim/anthropic-messages.ts';
import { cohereChat } from '../../src/cli/sim/cohere-chat.ts';
import type { FakeWire } from '../../src/cli/sim/fake-wire.ts';
import { gemini } from '../../src/cli/sim/gemini.ts';
import { ollamaChat } from '../../src/cli/sim/ollama-chat.ts';
import { openaiChat } from '../../src/cli/sim/openai-chat.ts';
import { openaiResponses } from '../../src/cli/sim/openai-responses.ts';
import { tryWire } from '../../src/cli/sim/try-wire.ts';
import { HttpClient } from '../../src/providers/transport/client.ts';
import { freePort } from '../free-port.ts';
import { call, type FakeVendor, run, type Said, startFakeVendor } from './command.ts';
import { cleanUp, start, tempFolder } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

const KEY = 'sk-secret-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ';

let vendor: FakeVendor;

beforeAll(async () => {
  vendor = await startFakeVendor(KEY, ['gpt-5.5', 'gpt-5.5-mini']);
});

afterAll(async () => {
  vendor.close();
  await cleanUp();
});

/** What `doctor` says, which must never be the key. */
function doctor(environment: Record<string, string>, ...words: string[]): Promise<{ code: number; out: string }> {
  return checked(call(['doctor', ...words], { PROFCLAW_WORKSPACE: tempFolder(), ...environment }));
}

/** The same as a program of its own. */
function doctorProgram(
  environment: Record<string, string>,
  ...words: string[]
): Promise<{ code: number; out: string }> {
  return checked(run(['doctor', ...words], { PROFCLAW_WORKSPACE: tempFolder(), ...environment }));
}

async function checked(saying: Promise<Said>): Promise<{ code: number; out: string }> {
  const { code, out, err } = await saying;
  expect(err).toBe('');
  expect(out).not.toContain(KEY);
  expect(out).not.toContain(KEY.slice(3, 16));
  // Nothing that acts on a terminal.
  expect(out).not.toContain('\u001b');
  return { code: code ?? -1, out };
}

/** A home that a server has made, and left. */
async function usedHome(): Promise<string> {
  const program = start();
  await program.listening;
  program.child.kill('SIGTERM');
  await program.ended;
  return program.home;
}

/** The line about something. */
function lineOf(out: string, name: string): string {
  return out.split('\n').find((line) => line.slice(12).startsWith(name)) ?? '';
}

describe.concurrent('profclaw doctor', () => {
  it('finds everything well beside a running server', async () => {
    const port = String(await freePort());
    const environment = { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: vendor.url, PORT: port };
    const program = start(environment);
    await program.listening;
    const { code, out } = await doctorProgram({ ...environment, PROFCLAW_HOME: program.home });
    expect(out).toMatch(/: 0 failed, /);
    expect(code).toBe(0);
    expect(lineOf(out, 'secret key')).toContain('✓ ok');
    expect(lineOf(out, 'database')).toMatch(/✓ ok +database +SQLite, whole/);
    expect(lineOf(out, 'migrations')).toMatch(/✓ ok/);
    expect(lineOf(out, 'server')).toContain(`a profclaw answers at http://127.0.0.1:${port}`);
    expect(lineOf(out, 'openai')).toMatch(/✓ ok +openai +answers in \d+ ms, 2 models/);
    expect(lineOf(out, 'default model')).toMatch(/✓ ok +default model +openai\/gpt-5\.5$/);
    expect(lineOf(out, 'clock')).toMatch(/✓ ok/);
    const json = await doctor({ ...environment, PROFCLAW_HOME: program.home }, '--json');
    const report = JSON.parse(json.out);
    expect(report).toMatchObject({ ok: true, failed: 0 });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ group: 'Database', name: 'migrations', standing: 'ok' }),
    );
  });

  it('says what to do first where nothing is set up, and makes nothing', async () => {
    const home = join(tempFolder(), 'home');
    const { code, out } = await doctor({ PROFCLAW_HOME: home });
    expect(code).toBe(0);
    expect(lineOf(out, 'home')).toContain('the first start makes it');
    expect(lineOf(out, 'default model')).toContain('! warning');
    expect(out).toContain('profclaw providers set <type>');
    expect(existsSync(home)).toBe(false);
  });

  it('names every wrong setting, each with its fix', async () => {
    const { code, out } = await doctorProgram({
      PROFCLAW_HOME: tempFolder(),
      PORT: '70000',
      OPENAI_API_KEY: `${KEY} and more`,
      GROQ_BASE_URL: 'nowhere',
      XAI_API_KEY_FILE: '/no/such/file',
      HTTPS_PROXY: `http://user:${KEY}@proxy:3128`,
    });
    expect(code).toBe(1);
    for (const name of ['PORT', 'OPENAI_API_KEY', 'GROQ_BASE_URL', 'XAI_API_KEY_FILE'])
      expect(lineOf(out, name)).toContain('✗ failed');
    expect(out.match(/fix: /g)?.length).toBeGreaterThanOrEqual(6);
    expect(lineOf(out, 'HTTPS_PROXY')).toContain('without a proxy');
  });

  it('says that the database is locked, and that it is damaged', async () => {
    const home = await usedHome();
    const file = join(home, 'profclaw.db');
    const holder = new DatabaseSync(file);
    holder.exec('pragma locking_mode = exclusive; begin exclusive');
    const locked = await doctor({ PROFCLAW_HOME: home });
    holder.close();
    expect(locked.code).toBe(1);
    expect(lineOf(locked.out, 'database')).toMatch(/✗ failed +database +.*locked by another program/);
    // All the rest was looked at.
    expect(lineOf(locked.out, 'workspace')).toContain('✓ ok');

    const bytes = openSync(file, 'r+');
    for (let at = 2; at < 12; at++) writeSync(bytes, Buffer.alloc(4096, 0x55), 0, 4096, at * 4096);
    const damaged = await doctor({ PROFCLAW_HOME: home });
    expect(damaged.code).toBe(1);
    expect(lineOf(damaged.out, 'database')).toContain('✗ failed');
    expect(damaged.out).toMatch(/fix: restore a backup/);
  });

  it('says which rights are too wide, and whose secret key is not the right one', async () => {
    const home = await usedHome();
    const environment = { PROFCLAW_HOME: home, OPENAI_BASE_URL: vendor.url };
    const set = await call(['providers', 'set', 'openai', '--key-stdin'], environment, KEY);
    expect(set.code).toBe(0);
    chmodSync(home, 0o777);
    chmodSync(join(home, 'secret.key'), 0o644);
    const wide = await doctor(environment);
    expect(wide.code).toBe(1);
    expect(lineOf(wide.out, 'home')).toContain('others can write');
    expect(lineOf(wide.out, 'secret key')).toContain('others can read');
    expect(wide.out).toContain(`fix: chmod 600 ${join(home, 'secret.key')}`);

    chmodSync(home, 0o700);
    writeFileSync(join(home, 'secret.key'), 'a'.repeat(64));
    chmodSync(join(home, 'secret.key'), 0o600);
    const other = await doctor(environment);
    expect(other.code).toBe(1);
    expect(lineOf(other.out, 'stored keys')).toContain('cannot be opened');
  });

  it('says what of the providers is wrong: a refused key, a placeholder, a model that is not there, the clock', async () => {
    const bad = KEY.toLowerCase();
    const environment = { PROFCLAW_HOME: tempFolder(), OPENAI_BASE_URL: vendor.url };
    const refused = await doctor({
      ...environment,
      OPENAI_API_KEY: bad,
      GROQ_API_KEY: '"your-key-here"',
      BRAVE_API_KEY: 'your-key',
    });
    expect(refused.code).toBe(1);
    expect(refused.out).not.toContain(bad);
    expect(lineOf(refused.out, 'openai')).toMatch(/✗ failed.*Incorrect API key/);
    expect(lineOf(refused.out, 'key of groq')).toMatch(/✗ failed.*quotes/);
    expect(refused.out).toContain('fix: correct GROQ_API_KEY');
    expect(lineOf(refused.out, 'search key')).toMatch(/✗ failed.*placeholder/);

    const late = await startFakeVendor(KEY, ['gpt-5.4']);
    late.ahead = 3600;
    const absent = await doctor({ ...environment, OPENAI_BASE_URL: late.url, OPENAI_API_KEY: KEY });
    late.close();
    expect(absent.code).toBe(0);
    expect(lineOf(absent.out, 'default model')).toMatch(/! warning.*openai\/gpt-5\.5 is not in the list/);
    expect(absent.out).toContain('openai/gpt-5.4');
    expect(lineOf(absent.out, 'clock')).toMatch(/! warning +clock +3\d{3} s behind/);
  });

  it('says that strangers could come in, that the port is taken, and that tools would see the secrets', async () => {
    const other = createServer((_request, response) => response.end('hi'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const home = join(tempFolder(), 'home');
    mkdirSync(home);
    const { code, out } = await doctor({
      ...{ PROFCLAW_HOME: home, PROFCLAW_WORKSPACE: home, HOST: '0.0.0.0', PORT: String(port) },
    });
    expect(code).toBe(1);
    expect(lineOf(out, 'port')).toContain('another program answers');
    expect(lineOf(out, 'access')).toMatch(/✗ failed.*nothing would keep strangers out/);
    expect(lineOf(out, 'workspace')).toMatch(/✗ failed.*home folder/);
    const locked = await doctor({
      ...{ PROFCLAW_HOME: home, HOST: '0.0.0.0', PORT: String(port), PROFCLAW_ACCESS_KEY: KEY },
    });
    other.close();
    expect(lineOf(locked.out, 'access')).toContain('✓ ok');
    expect(lineOf(locked.out, 'https')).toContain('! warning');
  });
});

const WIRES = [openaiChat, openaiResponses, anthropicMessages, gemini, ollamaChat, cohereChat];

describe.concurrent('profclaw doctor --sim', () => {
  it('tries everything of every wire, without settings', async () => {
    const { code, out } = await doctorProgram({ PROFCLAW_HOME: '/no/such/home', PORT: 'wrong' }, '--sim', '--json');
    expect(code).toBe(0);
    const { ok, tries } = JSON.parse(out);
    expect(ok).toBe(true);
    const named = new Set(tries.map(({ wire, tried }: Record<string, string>) => `${wire} ${tried}`));
    const wanted = ['text', 'stream', 'tools', 'reasoning', 'error', 'cut'];
    expect(named).toEqual(new Set(WIRES.flatMap(({ wire }) => wanted.map((tried) => `${wire} ${tried}`))));
  });

  it.each(WIRES)('finds what does not come through: $wire', async (wire) => {
    const client = new HttpClient({ connect: 5000, firstByte: 5000, idle: 5000 });
    const wrong = async (change: Partial<FakeWire>): Promise<string[]> => {
      const outcomes = await tryWire({ ...wire, ...change }, client);
      return outcomes.flatMap(({ tried, problem }) => (problem === undefined ? [] : [tried]));
    };
    expect(await wrong({})).toEqual([]);
    expect(await wrong({ key: ['authorization', 'Bearer another'] })).toHaveLength(6);
    const mute = (saying: Parameters<FakeWire['frames']>[0]): string[] =>
      wire.frames({ ...saying, ...(saying.text === undefined ? {} : { text: 'Something else' }) });
    expect(await wrong({ frames: mute })).toEqual(['stream', 'tools', 'reasoning', 'cut']);
    expect(await wrong({ result: () => undefined })).toEqual(['tools']);
    expect(await wrong({ whole: () => ({}) })).toEqual(['text']);
    expect(await wrong({ refusal: () => ({ what: 'ever' }) })).toEqual(['error']);
    await client.close();
  });
});
