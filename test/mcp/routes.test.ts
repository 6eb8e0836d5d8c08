import { afterEach, beforeEach, expect, it } from 'vitest';
import { Visitor } from '../access/visitor.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type HttpServer, httpServer } from './http-server.ts';
import { programOf } from './rig.ts';

const PATH = '/api/chat/mcp/servers';
const TOKEN = 'Bearer token-0123456789';

let server: TestServer;
let http: HttpServer;
let visitor: Visitor;

beforeEach(async () => {
  http = await httpServer();
});

afterEach(() => server.stop());

async function start(environment: Record<string, string> = {}): Promise<void> {
  server = await startTestServer(environment);
  visitor = new Visitor(server.url);
}

const stateOf = async (name: string): Promise<Json> => {
  const { servers } = await visitor.must('GET', PATH);
  return servers.find((one: Json) => one.name === name)?.status;
};

it('a server is added, shown without credentials, changed, asked and deleted', async () => {
  await start({ PROFCLAW_MCP_PRIVATE: 'allow' });
  const added = await visitor.must('POST', PATH, {
    name: 'docs',
    url: `${http.url}?key=in-the-query`,
    headers: { authorization: TOKEN },
  });
  expect(added.server).toMatchObject({
    name: 'docs',
    source: 'api',
    type: 'http',
    headers: ['authorization'],
    enabled: true,
  });
  await expect.poll(async () => (await stateOf('docs')).state).toBe('connected');
  const { tools } = await visitor.must('GET', '/api/chat/tools');
  expect(tools.find((tool: Json) => tool.name === 'mcp__docs__echo')).toMatchObject({
    level: 'dangerous',
    effect: 'unsafe',
  });

  const { server: asked } = await visitor.must('POST', `${PATH}/docs/test`);
  expect(asked.status).toMatchObject({ state: 'connected', latencyMs: expect.any(Number) });
  const elsewhere = await visitor.patch(`${PATH}/docs`, { url: 'http://127.0.0.1:9/' });
  expect(elsewhere).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/headers: must be given again/) },
  });
  const { server: off } = await visitor.must('PATCH', `${PATH}/docs`, { enabled: false });
  expect(off).toMatchObject({ enabled: false, tools: [], status: { state: 'disabled' } });
  expect((await visitor.post(`${PATH}/docs/test`)).status).toBe(409);

  for (const text of ['token-0123456789', 'in-the-query'])
    for (const shown of [added, asked, off, await visitor.must('GET', PATH), await visitor.must('GET', '/api/audit')])
      expect(JSON.stringify(shown)).not.toContain(text);
  await visitor.must('DELETE', `${PATH}/docs`);
  expect((await visitor.remove(`${PATH}/docs`)).status).toBe(404);
  expect((await visitor.must('GET', PATH)).servers).toEqual([]);
});

it('programs are the operator’s to allow', async () => {
  await start();
  const refused = await visitor.post(PATH, { name: 'files', ...programOf('plain') });
  expect(refused).toMatchObject({
    status: 403,
    body: { code: 'forbidden', error: expect.stringMatching(/PROFCLAW_MCP_STDIO/) },
  });
  await server.stop();
  await start({ PROFCLAW_MCP_STDIO: 'allow' });
  const { server: added } = await visitor.must('POST', PATH, {
    name: 'files',
    ...programOf('plain', { env: { A: 'secret-of-it' } }),
  });
  expect(added).toMatchObject({ type: 'stdio', command: process.execPath, args: 2, env: ['A'] });
  await expect.poll(async () => (await stateOf('files')).state).toBe('connected');
});

it('private addresses are the operator’s to allow', async () => {
  await start();
  await visitor.must('POST', PATH, { name: 'inner', url: http.url });
  await expect.poll(async () => (await stateOf('inner')).state).toBe('failed');
  expect((await stateOf('inner')).message).toMatch(/PROFCLAW_MCP_PRIVATE/);
  expect(http.met).toEqual([]);
});

it('the operator’s own servers need neither, and are not changed here', async () => {
  const servers = {
    inner: { url: http.url, headers: { authorization: 'Bearer $' + '{INNER_TOKEN}' } },
    files: programOf('plain'),
  };
  await start({ PROFCLAW_MCP_SERVERS: JSON.stringify({ mcpServers: servers }), INNER_TOKEN: 'token-of-the-inner' });
  for (const name of ['inner', 'files']) await expect.poll(async () => (await stateOf(name)).state).toBe('connected');
  expect(http.met[0]?.headers.authorization).toBe('Bearer token-of-the-inner');
  expect((await visitor.patch(`${PATH}/inner`, { enabled: false })).status).toBe(409);
  expect((await visitor.remove(`${PATH}/files`)).status).toBe(409);
});

const WRONG: readonly [object, RegExp][] = [
  [{ name: 'a__b', url: 'https://a.example' }, /^name: must be letters/],
  [{ name: 'a', command: 'x', url: 'https://a.example' }, /both a command and a url/],
  [{ name: 'a' }, /a command \(a program\) or a url/],
  [{ name: 'a', url: 'ftp://a.example' }, /^url: must be an http or https URL/],
  [{ name: 'a', url: 'https://me:secret@a.example' }, /^url: must not hold a name or password/],
  [{ name: 'a', url: 'https://a.example', headers: { host: 'b' } }, /^headers\.host: .*set by the server itself/],
  [{ name: 'a', url: 'https://a.example', headers: { a: 'b\nc' } }, /^headers\.a: must be printable ASCII/],
  [{ name: 'a', url: 'https://a.example', env: {} }, /^env: there is no such setting here/],
  [{ name: 'a', command: 'x', env: { 'A=B': 'c' } }, /^env\.A=B: .*must be the name of a variable/],
  [{ name: 'a', command: 'x\0' }, /^command: must not contain NUL/],
  [{ name: 'a', url: 'https://a.example', levels: { x: 'none' } }, /^levels\.x: /],
];

it('wrong settings are named', async () => {
  await start({ PROFCLAW_MCP_STDIO: 'allow' });
  for (const [body, problem] of WRONG) {
    const { status, body: answer } = await visitor.post(PATH, body);
    expect(status).toBe(400);
    const { path, message } = answer.details.issues[0];
    expect(path === '' ? message : `${path}: ${message}`).toMatch(problem);
  }
});
