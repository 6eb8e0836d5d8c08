import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, Rig } from '../access/rig.ts';
import { expectError } from '../contract/helpers.ts';
import { inOurForm } from '../error-form.ts';
import { type Line, linesOf, send, type WireAnswer } from './wire.ts';

// What a page of another site has a browser send, with the cookie of whoever is logged in there, or to a server where
// nobody needs one: it changes nothing.

interface Operation {
  method: string;
  path: string;
  scope: string;
}

/** What browsers say of a request that another site's page makes. */
const FOREIGN: [string, string][] = [
  ['another site', 'origin: http://evil.example | sec-fetch-site: cross-site | sec-fetch-mode: cors'],
  ['another site, by an old browser', 'origin: http://evil.example'],
  ['another site that is said to be ours', 'origin: http://evil.example | sec-fetch-site: same-origin'],
  ['nobody’s origin', 'origin: null'],
  ['nobody’s origin that is said to be ours', 'origin: null | sec-fetch-site: same-origin'],
  ['our own site and an empty origin', 'origin: | sec-fetch-site: same-origin'],
  ['another port', 'origin: http://127.0.0.1:1 | sec-fetch-site: same-site'],
  ['two origins', 'origin: http://evil.example | origin: {own}'],
  ['two origins, ours first', 'origin: {own} | origin: http://evil.example'],
  ['our own origin, which cannot be', 'origin: {own} | sec-fetch-site: cross-site'],
  ['no origin', 'sec-fetch-site: cross-site | sec-fetch-mode: no-cors'],
  ['no origin, of the same site', 'sec-fetch-site: same-site | sec-fetch-mode: no-cors'],
  ['a link', 'sec-fetch-site: cross-site | sec-fetch-mode: navigate | sec-fetch-dest: document'],
  ['a frame', 'sec-fetch-site: cross-site | sec-fetch-mode: navigate | sec-fetch-dest: iframe'],
  ['a word that there is not', 'sec-fetch-site: neighbour'],
  ['two words', 'sec-fetch-site: same-origin | sec-fetch-site: cross-site'],
];

const TYPES = [
  'none',
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/csp-report',
];

const JSON_TYPE = 'content-type: application/json';
const TASK = JSON.stringify({ title: 'planted', prompt: 'P' });
/** What other sites may link to. */
const PAGES = ['/', '/docs'];

describe.each(['local', 'locked'])('in %s mode', (mode) => {
  let rig: Rig;
  let own: string;
  let victim: readonly Line[];
  let operations: readonly Operation[];

  beforeAll(async () => {
    rig = await Rig.start(undefined);
    own = rig.server.url;
    const browser = mode === 'locked' ? (await rig.owner()).browser : rig.local();
    victim = mode === 'locked' ? [['cookie', `profclaw_session=${browser.cookie}`]] : [];
    await browser.must('POST', '/api/tasks', { title: 'mine', prompt: 'P' });
    const { paths } = await browser.must('GET', '/api/openapi.json');
    operations = Object.entries<Record<string, { 'x-scope': string }>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { 'x-scope': scope }]) => ({ method: method.toUpperCase(), path, scope })),
    );
    expect(operations.length).toBeGreaterThan(60);
  });

  afterAll(() => rig.stop());

  /** Sends a request with these lines, as the victim's browser does. */
  const ask = (start: string, lines: string, body = ''): Promise<WireAnswer> =>
    send(own, start, [...victim, ...linesOf(lines.replaceAll('{own}', own))], body);

  async function unchanged(attack: () => Promise<void>): Promise<void> {
    // Or else a request that is allowed would note that the session is in use.
    await rig.db.updateTable('sessions').set({ last_seen_at: new Date().toISOString() }).execute();
    const before = await rig.everything();
    await attack();
    expect(await rig.everything()).toBe(before);
  }

  it('the victim’s own page may', async () => {
    const answer = await ask('POST /api/tasks', `origin: {own} | sec-fetch-site: same-origin | ${JSON_TYPE}`, TASK);
    expect(answer.status).toBe(201);
  });

  it.each(FOREIGN)('no route takes anything from %s', async (name, lines) => {
    await unchanged(async () => {
      for (const { method, path, scope } of operations) {
        if (scope === 'open') continue;
        const start = `${method} ${path.replaceAll(/\{\w+\}/g, 'x')}`;
        const answer = await (method === 'GET' ? ask(start, lines) : ask(start, `${JSON_TYPE} | ${lines}`, TASK));
        // Other sites may link to a page.
        if (name === 'a link' && PAGES.includes(path)) expect(answer.status).toBe(200);
        else expectError({ ...answer, body: inOurForm(answer) }, 403, 'forbidden', /^Refused: /);
        expect(answer.headers.get('set-cookie')).toBeNull();
        expect([...answer.headers.keys()].filter((header) => header.startsWith('access-control'))).toEqual([]);
      }
    });
  });

  it.each(TYPES)('no body of the type %s does', async (type) => {
    const form = type.startsWith('multipart')
      ? `--x\r\ncontent-disposition: form-data; name="{"\r\n\r\n${TASK}\r\n--x--\r\n`
      : TASK;
    const typed = type === 'none' ? '' : `content-type: ${type} | `;
    await unchanged(async () => {
      for (const path of ['/api/tasks', '/api/auth/login', '/api/auth/logout', '/api/auth/signup', '/api/keys'])
        for (const [, lines] of FOREIGN) expectError(await ask(`POST ${path}`, typed + lines, form), 403, 'forbidden');
    });
  });

  it.each([
    'text/plain',
    'text/plain; application/json',
    'text/json',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/json, text/plain',
    'x',
    '',
  ])('an old browser’s form of the type %j is no JSON', async (type) => {
    await unchanged(async () => {
      const lines = `content-type: ${type}`;
      expectError(await ask('POST /api/tasks', lines, TASK), 415, 'unsupported_media_type');
      expectError(await ask('POST /api/tasks', `${JSON_TYPE} | ${lines}`, TASK), 415, 'unsupported_media_type');
    });
  });

  if (mode === 'locked')
    it('with a cookie, a form is not read as JSON either', async () => {
      await unchanged(async () => {
        for (const lines of ['', 'content-type: application/x-www-form-urlencoded'])
          expectError(await ask('POST /api/tasks', lines, TASK), 415, 'unsupported_media_type');
      });
    });

  it('nobody can be logged in as somebody else from there', async () => {
    const body = JSON.stringify({ email: 'owner@example.com', password: PASSWORD });
    for (const [, lines] of FOREIGN) {
      const all = linesOf(`${JSON_TYPE} | ${lines.replaceAll('{own}', own)}`);
      const answer = await send(own, 'POST /api/auth/login', all, body);
      expectError(answer, 403, 'forbidden');
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  describe('methods', () => {
    const id = async (): Promise<string> =>
      (await rig.db.selectFrom('tasks').select('id').executeTakeFirstOrThrow()).id;

    it.each(['x-http-method-override', 'x-http-method', 'x-method-override', '_method'])(
      '%s does not make another of it',
      async (name) => {
        const path = `/api/tasks/${await id()}`;
        const lines = `${name}: DELETE`;
        await unchanged(async () => {
          expect((await ask(`GET ${path}`, lines)).status).toBe(200);
          expect((await ask(`GET ${path}?_method=DELETE`, lines)).status).toBe(200);
          expect((await ask(`POST ${path}`, `${lines} | ${JSON_TYPE}`, '{}')).status).toBe(404);
        });
      },
    );

    it.each(['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'PURGE', 'LINK', 'MKCOL', 'get', 'Post'])(
      '%s changes nothing and tells nothing',
      async (method) => {
        await unchanged(async () => {
          for (const { path, scope } of operations) {
            const lines = `origin: http://evil.example | x-echo: echo-0123456789`;
            const answer = await ask(`${method} ${path.replaceAll(/\{\w+\}/g, 'x')}`, lines);
            if (scope !== 'open' || method !== 'HEAD') expect([400, 403, 404]).toContain(answer.status);
            expect(answer.text).not.toContain('echo-0123456789');
            expect(answer.text).not.toContain('profclaw_session=');
            expect(answer.headers.get('access-control-allow-origin')).toBeNull();
          }
        });
      },
    );
  });

  it.each([
    ['nobody', 'x: y'],
    ['its own page', 'origin: {own}'],
    ['another site', 'origin: http://evil.example'],
  ])('no connection of %s becomes a WebSocket or anything else', async (name, lines) => {
    for (const protocol of ['websocket', 'h2c', 'TLS/1.0', 'profclaw']) {
      const socket = 'sec-websocket-version: 13 | sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
      const upgrade = `connection: upgrade, close | upgrade: ${protocol} | ${socket} | ${lines}`;
      for (const path of ['/', '/api/tasks', '/api/chat/completions', '/health']) {
        const answer = await ask(`GET ${path}`, upgrade);
        expect([200, 403, 404]).toContain(answer.status);
        expect(answer.headers.get('upgrade')).toBeNull();
        if (name === 'another site' && path === '/api/tasks') expectError(answer, 403, 'forbidden');
      }
    }
  });
});
