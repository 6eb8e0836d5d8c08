import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PASSWORD, Rig } from '../access/rig.ts';
import type { Json } from '../server.ts';
import {
  BROWSER,
  EVIL_HOST,
  EVIL_PAGE,
  type Site,
  startBrowser,
  startRebound,
  startSite,
  watchPort,
} from './browser.ts';

// What a real browser lets an evil page do, and what the server makes of it.

vi.setConfig({ testTimeout: 120_000 });

if (BROWSER === undefined)
  process.stderr.write('skipped: no Chromium (apt-get install chromium) for test/attacks/browser.test.ts\n');

const OWNER = { email: 'owner@example.com', password: PASSWORD };

describe.skipIf(BROWSER === undefined)('in a browser', () => {
  let browser: Browser;
  let evil: Site;
  let friend: Site;

  beforeAll(async () => {
    browser = await startBrowser();
    evil = await startSite(EVIL_PAGE);
    friend = await startSite('<!doctype html><title>friend</title>');
  });

  afterAll(async () => {
    await browser?.close();
    evil?.stop();
    friend?.stop();
  });

  /** A page of a friendly origin calls; what it may read. */
  async function callFrom(page: Page, url: string, options: object = {}): Promise<{ status: number; body: Json }> {
    const text = JSON.stringify({
      credentials: 'include',
      headers: { 'content-type': 'application/json' },
      ...options,
    });
    return await page.evaluate(
      `fetch(${JSON.stringify(url)}, ${text}).then(async (answer) => ({ status: answer.status, body: await answer.json() }))`,
    );
  }

  describe.each(['local', 'locked'])('in %s mode', (mode) => {
    let rig: Rig;
    let url: string;
    let task: string;
    let context: BrowserContext;
    let friendly: Page;

    beforeAll(async () => {
      const origins = [`http://127.0.0.1:${friend.port}`, `http://localhost:${friend.port}`];
      rig = await Rig.start(undefined, { PROFCLAW_CORS_ORIGINS: origins.join() });
      ({ url } = rig.server);
      const maker = mode === 'locked' ? (await rig.owner()).browser : rig.local();
      task = (await maker.must('POST', '/api/tasks', { title: 'mine', prompt: 'P' })).task.id;
      context = await browser.newContext();
      friendly = await context.newPage();
      await friendly.goto(`http://127.0.0.1:${friend.port}/`);
      if (mode === 'local') return;
      const login = await callFrom(friendly, `${url}/api/auth/login`, { method: 'POST', body: JSON.stringify(OWNER) });
      expect(login).toMatchObject({ status: 200, body: { user: { email: OWNER.email } } });
      expect(await context.cookies(url)).toMatchObject([
        { name: 'profclaw_session', httpOnly: true, sameSite: 'Lax', path: '/' },
      ]);
    });

    afterAll(async () => {
      await context?.close();
      await rig?.stop();
    });

    /** What the evil page could read, and what came of it; nothing may have changed. */
    async function attackFrom(page: Page, origin: string, target = url) {
      // Or else a page that is shown would note that the session is in use.
      await rig.db.updateTable('sessions').set({ last_seen_at: new Date().toISOString() }).execute();
      const before = await rig.everything();
      const { arrived, stop } = watchPort(Number(new URL(url).port));
      await page.goto(`${origin}/?${new URLSearchParams({ target, task })}`);
      await page.waitForFunction('window.done', undefined, { timeout: 60_000 });
      const read: Record<string, string> = await page.evaluate('window.done');
      stop();
      expect(Object.keys(read).length).toBeGreaterThan(80);
      expect(await rig.everything()).toBe(before);
      return { read: Object.entries(read).filter(([, text]) => text !== ''), arrived };
    }

    it.each<[string, () => string]>([
      ['another port', () => `http://127.0.0.1:${evil.port}`],
      ['another name of this machine', () => `http://localhost:${evil.port}`],
      ['another site', () => `http://${EVIL_HOST}:${evil.port}`],
    ])('a page of %s changes nothing and reads nothing', async (name, origin) => {
      const page = await context.newPage();
      const { read, arrived } = await attackFrom(page, origin());
      await page.close();
      expect(read).toEqual([]);
      // A window of its own may show a page; nobody else looks into it.
      const shown = ['/docs', '/api/openapi.json'];
      expect(arrived.filter(({ status, path }) => status < 400 && !shown.includes(path))).toEqual([]);
      expect(arrived.filter(({ status }) => status < 400).length).toBeLessThanOrEqual(shown.length);
      // It was not for want of trying.
      const posts = arrived.filter(({ method, path }) => method === 'POST' && path === '/api/tasks');
      expect(posts.length).toBeGreaterThan(10);
      expect(arrived.filter(({ method }) => method === 'GET').length).toBeGreaterThan(20);
      // To a browser, another port is the same site: there the cookie is sent along.
      if (mode === 'locked' && name === 'another port')
        expect(posts.filter(({ cookie }) => cookie).length).toBeGreaterThan(5);
    });

    it('a name that is rebound to this machine is no name of ours', async () => {
      const rebound = await startRebound(evil.port, Number(new URL(url).port));
      const origin = `http://${EVIL_HOST}:${rebound.port}`;
      const page = await context.newPage();
      const { read, arrived } = await attackFrom(page, origin, origin);
      rebound.stop();
      await page.close();
      for (const [name, text] of read)
        expect([name, text]).toEqual([name, expect.stringContaining('Refused: the host')]);
      expect(read.length).toBeGreaterThan(20);
      expect(arrived.filter(({ status }) => status < 400)).toEqual([]);
      expect(arrived.length).toBeGreaterThan(60);
    });

    it('a page of a named origin may call, and read', async () => {
      const answer = await callFrom(friendly, `${url}/api/tasks/${task}`);
      expect(answer).toMatchObject({ status: 200, body: { task: { title: 'mine' } } });
      const change = { method: 'PATCH', body: '{"title":"changed"}' };
      expect(await callFrom(friendly, `${url}/api/tasks/${task}`, change)).toMatchObject({ status: 200 });
      expect(await callFrom(friendly, `${url}/api/tasks/none`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    });

    it('a page of a named origin of another site needs a key where everybody needs one', async () => {
      const page = await context.newPage();
      await page.goto(`http://localhost:${friend.port}/`);
      const answer = await callFrom(page, `${url}/api/tasks`);
      // The cookie is not sent from there.
      expect(answer.status).toBe(mode === 'local' ? 200 : 401);
      const { body } = await callFrom(friendly, `${url}/api/keys`, {
        method: 'POST',
        body: '{"name":"K","scopes":["chat"]}',
      });
      const headers = { authorization: `Bearer ${body.secret}` };
      expect(await callFrom(page, `${url}/api/auth/me`, { headers })).toMatchObject({
        status: 200,
        body: { via: 'key' },
      });
      await page.close();
    });

    it('the documentation works, also from a link elsewhere, and is in nobody’s frame', async () => {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
      page.on('pageerror', (error) => void complaints.push(String(error)));
      await page.goto(`http://localhost:${friend.port}/`);
      await page.evaluate(`document.body.innerHTML = '<a href="${url}/docs">docs</a>'`);
      await page.click('a');
      await page.click('main details summary');
      await page.waitForSelector('details[open] pre');
      expect(await page.textContent('main')).toContain('/api/auth/login');
      expect(complaints.filter((text) => !text.includes('favicon.ico'))).toEqual([]);

      await friendly.evaluate(`document.body.innerHTML = '<iframe src="${url}/docs"></iframe>'`);
      await expect.poll(() => friendly.frames()[1]?.url()).toMatch(/^chrome-error:/);
      await page.close();
    });

    if (mode === 'locked')
      it('a cookie that another port of this machine plants is nobody’s session', async () => {
        const member = async () =>
          (await rig.join(await rig.logIn(OWNER.email), `mallory${Math.random()}`)).browser.cookie;
        const [first, second] = [await member(), await member()];
        const own = await browser.newContext();
        const [page, bad] = [await own.newPage(), await own.newPage()];
        await page.goto(`http://127.0.0.1:${friend.port}/`);
        await bad.goto(`http://127.0.0.1:${friend.port}/`);
        const plant = (cookie: string) => bad.evaluate(`document.cookie = ${JSON.stringify(cookie)}`);
        const me = () => callFrom(page, `${url}/api/auth/me`);

        await plant(`profclaw_session=${first}; path=/`);
        const login = { method: 'POST', body: JSON.stringify(OWNER) };
        expect((await callFrom(page, `${url}/api/auth/login`, login)).status).toBe(200);
        expect(await me()).toMatchObject({ status: 200, body: { user: { email: OWNER.email } } });
        const thief = rig.stranger();
        thief.cookie = first;
        expect((await thief.get('/api/auth/me')).status).toBe(401);

        // The browser keeps scripts off the one that is there; beside one of another path, none counts.
        await plant(`profclaw_session=${second}; path=/`);
        expect(await me()).toMatchObject({ status: 200, body: { user: { email: OWNER.email } } });
        await plant(`profclaw_session=${second}; path=/api`);
        expect((await me()).status).toBe(401);
        await plant('profclaw_session=; path=/api; max-age=0');
        expect(await me()).toMatchObject({ status: 200, body: { user: { email: OWNER.email } } });
        expect(await bad.evaluate('document.cookie')).toBe('');
        await own.close();
      });
  });
});
