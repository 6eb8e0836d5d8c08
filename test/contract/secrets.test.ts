import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { says } from './helpers.ts';
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
