import { beforeAll, describe, expect, it } from 'vitest';
import { isPostgres } from '../../src/storage/dialect.ts';
import { type Member, onBothDatabases, PASSWORD, type Rig } from '../access/rig.ts';
import type { Answer, Visitor } from '../access/visitor.ts';
import type { Json, TestServer } from '../server.ts';

// Many at once, on two servers where there can be two: no more of them get in than one after the other.

const account = (name: string, more: object = {}) => ({
  email: `${name}@example.com`,
  password: PASSWORD,
  name,
  ...more,
});

function statusesOf(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

onBothDatabases((start) => {
  describe('the first sign-up', () => {
    it('has one winner, who is the owner of what was there', async () => {
      const rig = await start();
      const other = await rig.another();
      await rig.local().must('POST', '/api/tasks', { title: 'before', prompt: 'P' });
      // They are all let in as local, for nothing is locked yet.
      const all = Array.from({ length: 4 }, (_, i) => rig.local(i % 2 === 0 ? rig.server : other));
      const answers = await Promise.all(
        all.map((visitor, i) => visitor.post('/api/auth/signup', account(`first${i}`))),
      );
      expect(statusesOf(answers)[0]).toBe(201);
      expect(
        statusesOf(answers)
          .slice(1)
          .every((status) => status >= 400 && status < 500),
      ).toBe(true);
      const rows = await rig.db.selectFrom('accounts').select(['owner', 'role']).execute();
      expect(rows).toEqual([{ owner: 'local', role: 'owner' }]);
      expect(await rig.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
      const winner = all[answers.findIndex(({ status }) => status === 201)]!;
      expect((await winner.get('/api/tasks')).body.tasks).toMatchObject([{ title: 'before' }]);
      for (const loser of all.filter((visitor) => visitor !== winner)) expect(loser.cookie).toBeUndefined();
    });

    it('with one email has one winner too', async () => {
      const rig = await start();
      const all = [rig.local(), rig.local()];
      const answers = await Promise.all(all.map((visitor) => visitor.post('/api/auth/signup', account('same'))));
      expect(statusesOf(answers)[0]).toBe(201);
      expect(statusesOf(answers)[1]).toBeGreaterThanOrEqual(400);
      expect(await rig.db.selectFrom('accounts').select('id').execute()).toHaveLength(1);
    });
  });

  describe('with accounts', () => {
    let rig: Rig;
    let owner: Member;
    let servers: TestServer[];
    let names = 0;

    beforeAll(async () => {
      rig = await start();
      owner = await rig.owner();
      // With SQLite there is one, which keeps what it has looked up for a second.
      servers = isPostgres(rig.db) ? [rig.server, await rig.another()] : [rig.server];
    });

    const many = <T>(count: number, make: (index: number, server: TestServer) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, i) => make(i, servers[i % servers.length]!)));

    const accounts = async () => (await rig.db.selectFrom('accounts').select('id').execute()).length;

    it('an invite that is used twenty times at once makes one account', async () => {
      const { code } = await owner.browser.must('POST', '/api/invites', {});
      const before = await accounts();
      const answers = await many(20, (_, server) =>
        rig.stranger(server).post('/api/auth/signup', account(`guest${++names}`, { inviteCode: code })),
      );
      expect(statusesOf(answers)).toEqual([201, ...Array.from({ length: 19 }, () => 403)]);
      expect(await accounts()).toBe(before + 1);
    });

    it('an email that is wanted by several at once gets one, and the invites of the others stay good', async () => {
      const codes: string[] = [];
      for (let i = 0; i < 4; i++) codes.push((await owner.browser.must('POST', '/api/invites', {})).code);
      const email = `wanted${++names}`;
      const answers = await many(4, (i, server) =>
        rig.stranger(server).post('/api/auth/signup', account(email, { inviteCode: codes[i] })),
      );
      expect(statusesOf(answers)).toEqual([201, 409, 409, 409]);
      const unused = codes[answers.findIndex(({ status }) => status === 409)];
      const late = await rig.stranger().post('/api/auth/signup', account(`late${++names}`, { inviteCode: unused }));
      expect(late.status).toBe(201);
    });

    it('an invite that is withdrawn while it is used is one or the other', async () => {
      const { invite, code } = await owner.browser.must('POST', '/api/invites', {});
      const before = await accounts();
      const [used, withdrawn] = await Promise.all([
        rig.stranger(servers[1]).post('/api/auth/signup', account(`racer${++names}`, { inviteCode: code })),
        owner.browser.remove(`/api/invites/${invite.id}`),
      ]);
      expect([
        [201, 404],
        [403, 200],
      ]).toContainEqual([used.status, withdrawn.status]);
      expect(await accounts()).toBe(before + (used.status === 201 ? 1 : 0));
    });

    it('wrong passwords at once are looked at no more often than one after the other', async () => {
      const { user } = await rig.join(owner.browser, `target${++names}`);
      const answers = await many(30, (i, server) =>
        rig.stranger(server).post('/api/auth/login', { email: user.email, password: `wrong ${i}` }),
      );
      const looked = statusesOf(answers).filter((status) => status === 401).length;
      // Six before the first pause, of a second; a slow machine may be at it for longer.
      expect(looked).toBeGreaterThanOrEqual(6);
      expect(looked).toBeLessThanOrEqual(10);
      expect(statusesOf(answers).filter((status) => status === 429)).toHaveLength(30 - looked);
    });

    /** Does something over and over, at both servers, until it is over and a little longer; what came, in order. */
    async function during(
      visitors: Visitor[],
      deed: () => Promise<unknown>,
    ): Promise<{ after: number[]; before: number[] }> {
      let done = false;
      const before: number[] = [];
      const after: number[] = [];
      const ask = async (visitor: Visitor): Promise<void> => {
        for (let late = 0; late < 20; ) {
          const isAfter = done;
          const { status } = await visitor.get('/api/auth/me');
          (isAfter ? after : before).push(status);
          if (isAfter) late++;
        }
      };
      const asking = visitors.map(ask);
      await expect.poll(() => before.length).toBeGreaterThan(20);
      await deed();
      done = true;
      await Promise.all(asking);
      return { before, after };
    }

    const programs = (secret: string) =>
      servers.flatMap((server) => [rig.program(secret, server), rig.program(secret, server)]);

    it('a key that is revoked while it is used is good for nothing from then on', async () => {
      const { key, secret } = await rig.withKey(owner.browser, { scopes: ['chat'] });
      const { before, after } = await during(programs(secret), () =>
        owner.browser.must('DELETE', `/api/keys/${key.id}`),
      );
      expect(new Set(before)).toEqual(
        expect.toSatisfy((set: Set<number>) => set.has(200) && [...set].every((s) => s === 200 || s === 401)),
      );
      expect(new Set(after)).toEqual(new Set([401]));
    });

    it('so is a session that is ended', async () => {
      const { browser } = await rig.join(owner.browser, `leaver${++names}`);
      const copies = servers.map((server) => Object.assign(rig.stranger(server), { cookie: browser.cookie }));
      const { after } = await during(copies, () => browser.must('POST', '/api/auth/logout'));
      expect(new Set(after)).toEqual(new Set([401]));
    });

    it('so is everything of an account that is disabled', async () => {
      const { browser, user } = await rig.join(owner.browser, `fallen${++names}`);
      const { secret } = await rig.withKey(browser, { scopes: ['chat'] });
      const copies = servers.map((server) => Object.assign(rig.stranger(server), { cookie: browser.cookie }));
      const { after } = await during([...copies, ...programs(secret)], () =>
        owner.browser.must('PATCH', `/api/users/${user.id}`, { disabled: true }),
      );
      expect(new Set(after)).toEqual(new Set([401]));
    });

    it('what a revoked key has begun comes to its end, and nothing after it', async () => {
      const { key, secret, program } = await rig.withKey(owner.browser, { scopes: ['chat'] });
      const body = { model: 'demo', stream: true, messages: [{ role: 'user', content: 'word '.repeat(200) }] };
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      const answer = await fetch(`${rig.server.url}/api/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      await owner.browser.must('DELETE', `/api/keys/${key.id}`);
      const events = (await answer.text()).trimEnd().split('\n\n');
      expect(JSON.parse(events.at(-1)!.replace('data: ', '')) as Json).toMatchObject({
        done: true,
        finishReason: 'stop',
      });
      expect((await program.post('/api/chat/completions', body)).status).toBe(401);
    });

    it('two who change one password at once do not both stay', async () => {
      const { browser } = await rig.join(owner.browser, `twin${++names}`);
      const { email } = (await browser.must('GET', '/api/auth/me')).user;
      const [first, second] = [await rig.logIn(email), await rig.logIn(email)];
      const change = (visitor: Visitor, password: string) =>
        visitor.patch('/api/auth/me', { password, currentPassword: PASSWORD });
      const answers = await Promise.all([change(first, 'password one'), change(second, 'password two')]);
      expect(statusesOf(answers)).toEqual([200, 401]);
      const inside = [];
      for (const visitor of [first, second]) inside.push((await visitor.get('/api/auth/me')).status === 200);
      expect(inside.filter(Boolean)).toHaveLength(1);
      const works = [];
      for (const password of ['password one', 'password two', PASSWORD])
        works.push((await rig.stranger().post('/api/auth/login', { email, password })).status === 200);
      expect(works.filter(Boolean)).toHaveLength(1);
      expect(works[2]).toBe(false);
    });
  });
});
