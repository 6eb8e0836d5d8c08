import { beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// One's own sessions: seeing them, ending them, and how long they last.

const SESSIONS = '/api/auth/sessions';
const DAY_MS = 86_400_000;

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;

  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
  });

  const list = async (browser: Visitor): Promise<Json[]> => (await browser.must('GET', SESSIONS)).sessions;
  const setTimes = (id: string, last_seen_at: number, expires_at: number) =>
    rig.db
      .updateTable('sessions')
      .set({ last_seen_at: new Date(last_seen_at).toISOString(), expires_at: new Date(expires_at).toISOString() })
      .where('id', '=', id)
      .execute();
  const isOut = async (browser: Visitor) => expectError(await browser.get('/api/auth/me'), 401, 'unauthenticated');

  describe('the list', () => {
    it('says of each from where it is, and which one asks', async () => {
      const { browser: mia } = await rig.join(owner, 'mia');
      const phone = rig.stranger();
      const login = { email: 'mia@example.com', password: PASSWORD };
      await phone.send('POST', '/api/auth/login', login, { 'user-agent': 'Phone/1.0 (ümläut)' });
      const sessions = await list(phone);
      expect(sessions).toEqual([
        {
          id: expect.stringMatching(/^session_/),
          current: true,
          address: phone.address,
          userAgent: 'Phone/1.0 (ümläut)',
          createdAt: expect.stringMatching(/Z$/),
          lastSeenAt: sessions[0].createdAt,
          expiresAt: expect.stringMatching(/Z$/),
        },
        expect.objectContaining({ current: false, address: mia.address, userAgent: 'test browser' }),
      ]);
      const { createdAt, expiresAt } = sessions[0];
      expect(Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / DAY_MS)).toBe(30);
      expect((await list(mia)).map(({ current }) => current)).toEqual([false, true]);
    });

    it('keeps the beginning of a long user agent', async () => {
      const browser = rig.stranger();
      const login = { email: 'owner@example.com', password: PASSWORD };
      await browser.send('POST', '/api/auth/login', login, { 'user-agent': 'x'.repeat(5000) });
      expect((await list(browser))[0].userAgent).toBe('x'.repeat(300));
    });

    it('is for people, and for keys with the scope admin', async () => {
      const { program } = await rig.withKey(owner, { scopes: ['admin'] });
      expect((await list(program)).filter(({ current }) => current)).toEqual([]);
      const { program: other } = await rig.withKey(owner, { scopes: ['chat', 'tools'] });
      expectError(await other.get(SESSIONS), 403, 'forbidden', /admin/);
    });
  });

  describe('ending', () => {
    it('one, which is out at once and cannot be ended twice', async () => {
      const { browser } = await rig.join(owner, 'one');
      const phone = await rig.logIn('one@example.com');
      const id = await phone.session();
      expect((await browser.remove(`${SESSIONS}/${id}`)).body).toEqual({ message: 'Session ended' });
      await isOut(phone);
      expect(await list(browser)).toHaveLength(1);
      expectError(await browser.remove(`${SESSIONS}/${id}`), 404, 'not_found', id);
    });

    it('all but the one that asks', async () => {
      const { browser } = await rig.join(owner, 'all');
      const others = [await rig.logIn('all@example.com'), await rig.logIn('all@example.com')];
      expect((await browser.remove(SESSIONS)).body).toEqual({ message: 'Sessions ended', ended: 2 });
      for (const other of others) await isOut(other);
      expect(await list(browser)).toMatchObject([{ current: true }]);
      expect((await browser.remove(SESSIONS)).body.ended).toBe(0);
      expect((await owner.get('/api/auth/me')).status).toBe(200);
    });

    it('all, by a key', async () => {
      const { browser } = await rig.join(owner, 'key', 'admin');
      const { program } = await rig.withKey(browser, { scopes: ['admin'] });
      expect((await program.remove(SESSIONS)).body.ended).toBe(1);
      await isOut(browser);
    });

    it('one’s own, as logging out does', async () => {
      const { browser } = await rig.join(owner, 'self');
      expect((await browser.remove(`${SESSIONS}/${await browser.session()}`)).status).toBe(200);
      await isOut(browser);
    });

    it('nobody else’s, who may be the owner', async () => {
      const { browser } = await rig.join(owner, 'other');
      const [theirs, ours] = [await browser.session(), await owner.session()];
      for (const [who, id] of [
        [owner, theirs],
        [browser, ours],
      ] as const)
        expectError(await who.remove(`${SESSIONS}/${id}`), 404, 'not_found', id);
      for (const who of [owner, browser]) expect((await who.get('/api/auth/me')).status).toBe(200);
    });

    it.each(['session_none', '%00', '%ed%a0%80', 'a%00b', '%F0%9F%92%A9'])('not %s', async (id) => {
      expectError(await owner.remove(`${SESSIONS}/${id}`), 404, 'not_found');
    });
  });

  describe('a session', () => {
    it('lasts 30 days from when it was last used, and the cookie with it', async () => {
      const browser = await rig.logIn('owner@example.com');
      const id = await browser.session();
      const { cookie } = browser;
      expect((await browser.get('/api/auth/me')).headers.get('set-cookie')).toBeNull();
      const before = Date.now();
      await setTimes(id, before - 61_000, before + DAY_MS);
      await rig.noticed();
      const { headers } = await browser.get('/api/auth/me');
      expect(headers.get('set-cookie')).toBe(
        `profclaw_session=${cookie}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax`,
      );
      const moved = async () => (await list(browser)).find((session) => session.id === id);
      await expect.poll(async () => Date.parse((await moved()).lastSeenAt)).toBeGreaterThanOrEqual(before);
      expect(Date.parse((await moved()).expiresAt)).toBeGreaterThanOrEqual(before + 30 * DAY_MS);
      expect((await browser.get('/api/auth/me')).headers.get('set-cookie')).toBeNull();
    });

    it('is not written down again within a minute', async () => {
      const browser = await rig.logIn('owner@example.com');
      const id = await browser.session();
      const seen = Date.now() - 30_000;
      await setTimes(id, seen, Date.now() + DAY_MS);
      await rig.noticed();
      for (let i = 0; i < 3; i++) expect((await browser.get('/api/auth/me')).headers.get('set-cookie')).toBeNull();
      expect((await list(browser)).find((session) => session.id === id).lastSeenAt).toBe(new Date(seen).toISOString());
    });

    it('that has expired lets nobody in, is not listed, and is removed', async () => {
      const browser = await rig.logIn('owner@example.com');
      const id = await browser.session();
      const other = await rig.logIn('owner@example.com');
      await setTimes(id, Date.now() - 30 * DAY_MS, Date.now() - 1);
      await rig.noticed();
      await isOut(browser);
      expect((await list(other)).map((session) => session.id)).not.toContain(id);
      const row = () => rig.db.selectFrom('sessions').select('id').where('id', '=', id).execute();
      await expect.poll(row).toEqual([]);
    });

    it('is nobody’s whose cookie is a little different, or comes twice', async () => {
      const browser = await rig.logIn('owner@example.com');
      const { cookie = '' } = browser;
      const send = (header: string) => rig.stranger().send('GET', '/api/auth/me', undefined, { cookie: header });
      expect((await send(`a=b; profclaw_session=${cookie}; c=d`)).status).toBe(200);
      for (const header of [
        `profclaw_session=${cookie.slice(0, -1)}`,
        `profclaw_session=${cookie}x`,
        `profclaw_session=${cookie.toLowerCase()}`,
        `profclaw_session="${cookie}"`,
        `Profclaw_Session=${cookie}`,
        `profclaw_session=${cookie}; profclaw_session=${cookie}`,
        `profclaw_session=${'A'.repeat(43)}; profclaw_session=${cookie}`,
        'profclaw_session=',
      ])
        expectError(await send(header), 401, 'unauthenticated');
    });
  });
});
