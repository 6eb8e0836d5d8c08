import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretsOf } from '../../src/providers/settings/endpoint.ts';
import { redact } from '../../src/providers/wire/refusal.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { seal } from '../../src/storage/secret-box.ts';
import { loadSecretKey } from '../../src/storage/secret-key.ts';
import { putProviderSettings } from '../../src/storage/settings.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { method, says } from './helpers.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const KEY = 'sk-very-secret-0123456789-abcdefghij';

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer();
  await server.call('/api/chat/providers/groq/configure', {
    apiKey: KEY,
    baseUrl: `${upstream.url}/groq`,
    headers: { 'x-token': `${KEY}-header` },
  });
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

it('a stored key is in no byte of any file of the home folder, write-ahead log included', () => {
  const files = readdirSync(server.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map((file) => file.name)).toEqual(
    expect.arrayContaining(['profclaw.db', 'profclaw.db-wal', 'secret.key']),
  );
  const forms = [KEY, Buffer.from(KEY).toString('base64').slice(0, 40), Buffer.from(KEY).toString('hex')];
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name));
    for (const form of forms) expect(bytes.includes(form), file.name).toBe(false);
    expect(bytes.includes(Buffer.from(KEY, 'utf16le')), file.name).toBe(false);
  }
  expect(statSync(join(server.home, 'secret.key')).mode & 0o777).toBe(0o600);
});

it('survives a restart', async () => {
  const second = await startTestServer({}, server.home);
  expect((await second.call('/api/chat/completions', says('Hi', { model: 'groq/x' }))).status).toBe(200);
  expect(upstream.sent.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'x-token': `${KEY}-header` });
  await second.stop();
});

it('cannot be read with another key file: the start says so, and shows nothing', async () => {
  const file = join(server.home, 'secret.key');
  const own = readFileSync(file, 'utf8');
  writeFileSync(file, `${'ab'.repeat(32)}\n`);
  const error: Error = await startTestServer({}, server.home).then(
    () => new Error('started'),
    (cause) => cause,
  );
  writeFileSync(file, own);
  expect(error.message).toMatch(/groq.*secret key/s);
  expect(error.message).not.toContain(KEY);
});

it('settings that cannot be used any more do not hide the other providers', async () => {
  const home = mkdtempSync(join(tmpdir(), 'profclaw-unusable-'));
  await (await startTestServer({}, home)).stop();
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  const text = `{"package": "@ai-sdk/openai-compatible", "options": ${deep}}`;
  const database = await openDatabase({ databaseUrl: undefined, file: join(home, 'profclaw.db') });
  const sealed = seal(text, loadSecretKey(home, undefined), 'provider_settings/custom:old');
  await putProviderSettings(database.db, 'local', 'custom:old', sealed);
  await database.close();
  const again = await startTestServer({ GROQ_API_KEY: KEY }, home);
  const listed = async () => (await again.call('/api/chat/providers')).body.providers as Json[];
  expect(await listed()).toContainEqual(expect.objectContaining({ type: 'groq', configured: true }));
  expect((await listed()).at(-1)).toMatchObject({
    type: 'custom:old',
    configured: false,
    message: expect.stringContaining('cannot be used'),
  });
  await again.call('/api/chat/providers/custom:old', undefined, method('DELETE'));
  expect((await listed()).at(-1)).toMatchObject({ type: 'demo' });
  await again.stop();
  rmSync(home, { recursive: true });
});

it('two servers on one database keep each other’s settings', async () => {
  const home = mkdtempSync(join(tmpdir(), 'profclaw-two-'));
  const first = await startTestServer({}, home);
  const second = await startTestServer({}, home);
  const configure = (one: TestServer, body: object) => one.call('/api/chat/providers/xai/configure', body);
  await configure(first, { apiKey: KEY, baseUrl: `${upstream.url}/xai` });
  await configure(second, { defaultModel: 'mine' });
  await second.call('/api/chat/providers/default', { provider: 'xai' });
  const third = await startTestServer({}, home);
  expect((await third.call('/api/chat/completions', says('Hi'))).body).toMatchObject({
    provider: 'xai',
    model: 'mine',
  });
  for (const one of [first, second, third]) await one.stop();
  rmSync(home, { recursive: true });
});

describe('striking out', () => {
  const shown = (text: string, settings: Parameters<typeof secretsOf>[0]): string =>
    redact(text, { secrets: secretsOf(settings) });

  it('leaves no rest of a longer secret that has a shorter one in it', () => {
    const settings = { apiKey: 'abcdef', headers: { 'x-more': 'abcdef-and-more' } };
    expect(shown('no: abcdef-and-more, abcdef', settings)).toBe('no: [key], [key]');
  });

  it.each(['Bearer', 'Basic', 'Token', 'ApiKey', 'AWS4-HMAC-SHA256'])('knows what follows the scheme %s', (scheme) => {
    const settings = { headers: { authorization: `${scheme}  abc-secret` } };
    expect(shown('bad abc-secret, in short', settings)).toBe('bad [key], in short');
  });

  it('knows the form that a secret has inside JSON', () => {
    const settings = { options: { pem: 'line one\nline "two"' } };
    expect(shown(`{"sent": ${JSON.stringify(settings.options.pem)}}`, settings)).toBe('{"sent": "[key]"}');
  });

  it('spoils no message for a key that is none', () => {
    expect(shown('no such model', { apiKey: 'o' })).toBe('no such model');
  });
});
