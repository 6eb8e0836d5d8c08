import { beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import { type Member, onBothDatabases, PASSWORD, type Rig } from './rig.ts';
import type { Answer, Visitor } from './visitor.ts';

// What is done is written down, once: who, by which credential, to what, from where, in which request.

const KEY = 'a key for all of us';

onBothDatabases((start) => {
  let rig: Rig;

  /** Who it is in a row. */
  interface Doer {
    owner: string;
    actor: string;
    credential: string;
  }
  const STRANGER: Doer = { owner: '', actor: '', credential: '' };
  const LOCAL: Doer = { owner: 'local', actor: 'local', credential: '' };

  async function doerOf(visitor: Visitor): Promise<Doer> {
    const credential = await visitor.session();
    const { user } = await visitor.must('GET', '/api/auth/me');
    const owner = user === null || user.role === 'owner' ? 'local' : user.id;
    return { owner, actor: user?.id ?? 'access-key', credential };
  }

  /** Does something, whose rows are exactly these; by the doer, and done, unless a row says otherwise. */
  async function expectDeeds(visitor: Visitor, doer: Doer, work: () => Promise<Answer>, rows: object[]): Promise<Json> {
    await rig.deeds();
    const { body, headers } = await work();
    const common = { ...doer, address: visitor.address, requestId: headers.get('x-request-id'), outcome: 'done' };
    expect(await rig.deeds()).toEqual(rows.map((row) => ({ ...common, target: '', details: {}, ...row })));
    return body;
  }

  describe('on one’s own machine', () => {
    let local: Visitor;
    beforeAll(async () => {
      rig = await start();
      local = rig.local();
    });
    const deeds = (method: string, path: string, body: unknown, ...rows: object[]) =>
      expectDeeds(local, LOCAL, () => local.send(method, path, body), rows);

    it('reading and making things leaves no row', async () => {
      await deeds('GET', '/api/auth/status', undefined);
      await deeds('POST', '/api/tasks', { title: 'T', prompt: 'P' });
      await deeds('POST', '/api/chat/quick', { prompt: 'Hi', model: 'demo' });
      const { conversation } = await local.must('POST', '/api/chat/conversations', { model: 'demo' });
      const content = '/tool list_directory {}';
      await deeds('POST', `/api/chat/conversations/${conversation.id}/messages/with-tools`, { content });
      for (const name of ['runs', 'approvals', 'tools', 'tools/rules'])
        await deeds('GET', `/api/chat/${name}`, undefined);
      await deeds('GET', '/api/audit', undefined);
    });

    it('a deletion is begun, and fails if there is nothing to delete', async () => {
      const make = async (path: string, body: object, name: string): Promise<string> =>
        (await local.must('POST', path, body))[name].id;
      const conversation = await make('/api/chat/conversations', { title: 'C' }, 'conversation');
      const path = `/api/chat/conversations/${conversation}`;
      const { userMessage } = await local.must('POST', `${path}/messages`, { content: 'Hi', model: 'demo' });
      const response = (await local.must('POST', '/v1/responses', { model: 'demo', input: 'Hi' })).id;
      const things: [string, string, string][] = [
        ['response.delete', '/v1/responses', response],
        ['message.delete', `${path}/messages`, userMessage.id],
        ['conversation.delete', '/api/chat/conversations', conversation],
        ['task.delete', '/api/tasks', await make('/api/tasks', { title: 'T', prompt: 'P' }, 'task')],
        ['ticket.delete', '/api/tickets', await make('/api/tickets', { title: 'T' }, 'ticket')],
        [
          'preset.delete',
          '/api/chat/presets',
          await make('/api/chat/presets', { name: 'N', systemPrompt: 'S' }, 'preset'),
        ],
      ];
      for (const [action, at, target] of things) {
        const begun = { action, target, outcome: 'begun' };
        await deeds('DELETE', `${at}/${target}`, undefined, begun);
        const failed = { action, target, outcome: 'failed', details: { code: 'not_found' } };
        await deeds('DELETE', `${at}/${target}`, undefined, begun, failed);
      }
    });

    /** Has a tool asked for in a conversation of its own. */
    const askedFor = async (name: string): Promise<{ runId: string; conversationId: string; approvalId: string }> => {
      const { conversation } = await local.must('POST', '/api/chat/conversations', { model: 'demo' });
      const content = `/tool write_file ${JSON.stringify({ path: name, content: name })}`;
      const path = `/api/chat/conversations/${conversation.id}/messages/with-tools`;
      const { runId, pendingApprovals } = await local.must('POST', path, { content });
      return { runId, conversationId: conversation.id, approvalId: pendingApprovals[0].id };
    };

    it('a run is stopped', async () => {
      const { runId } = await askedFor('stopped');
      for (const [target, code] of [
        [runId, undefined],
        [runId, 'conflict'],
        ['run_none', 'not_found'],
      ]) {
        const row = { action: 'run.cancel', target, outcome: 'begun' };
        const failed = code === undefined ? [] : [{ ...row, outcome: 'failed', details: { code } }];
        await deeds('POST', `/api/chat/runs/${target}/cancel`, {}, row, ...failed);
      }
    });

    it('a call of a tool is allowed or refused, but what it does is not told', async () => {
      const [first, second] = [await askedFor('secret-of-a-file'), await askedFor('another')];
      for (const [{ conversationId, approvalId: target }, decision, code] of [
        [first, 'allow-always', undefined],
        [first, 'deny', 'conflict'],
        [second, 'deny', undefined],
        [{ ...second, approvalId: first.approvalId }, 'allow-once', 'approval_not_found'],
      ] as const) {
        const row = { action: 'approval.decide', target, outcome: 'begun' };
        const failed = code === undefined ? [] : [{ ...row, outcome: 'failed', details: { code } }];
        const details = { decision, conversationId, ...(decision === 'allow-always' ? { scope: 'conversation' } : {}) };
        const answer = { ...details, approvalId: target, reason: 'secret-of-a-person' };
        await deeds('POST', '/api/chat/tools/approve', answer, { ...row, details }, ...failed);
      }
      const { runId: _, approvalId, conversationId } = await askedFor('a-third');
      const row = { action: 'approval.decide', target: approvalId, outcome: 'begun' };
      const details = { decision: 'allow-once', conversationId };
      const editedArguments = { path: 'secret-of-a-file', content: '' };
      await deeds(
        'POST',
        '/api/chat/tools/approve',
        { ...details, approvalId, editedArguments },
        { ...row, details: { ...details, edited: true } },
      );
      const rows = await rig.db.selectFrom('audit_log').select('details').execute();
      expect(JSON.stringify(rows)).not.toContain('secret-of');
      const { rules } = await local.must('GET', '/api/chat/tools/rules');
      const gone = { action: 'rule.delete', target: rules[0].id, outcome: 'begun' };
      const failed = { ...gone, outcome: 'failed', details: { code: 'not_found' } };
      await deeds('DELETE', `/api/chat/tools/rules/${rules[0].id}`, undefined, gone);
      await deeds('DELETE', `/api/chat/tools/rules/${rules[0].id}`, undefined, gone, failed);
    });

    it('a provider’s settings are named, but not their secrets', async () => {
      const path = '/api/chat/providers/groq';
      const row = (action: string, details: object = {}) => ({ action, target: 'groq', outcome: 'begun', details });
      const settings = {
        apiKey: 'sk-a-secret-of-the-vendor',
        baseUrl: 'http://127.0.0.1:9/v1',
        headers: { 'x-a': 'secret-b' },
      };
      const fields = Object.keys(settings);
      await deeds(
        'POST',
        `${path}/configure`,
        settings,
        row('provider.configure', { fields, baseUrl: settings.baseUrl }),
      );
      const choice = { provider: 'groq', model: 'm' };
      await deeds('POST', '/api/chat/providers/default', choice, row('provider.default', choice));
      await deeds('DELETE', path, undefined, row('provider.remove'));
      const failed = { action: 'provider.remove', target: 'groq', outcome: 'failed', details: { code: 'not_found' } };
      await deeds('DELETE', path, undefined, row('provider.remove'), failed);
      expect(await rig.everything()).not.toContain('a-secret-of-the-vendor');
    });

    it('a request that is refused for its form or its caller leaves no row', async () => {
      await deeds('POST', '/api/chat/providers/default', { provider: 1 });
      await deeds('POST', '/api/keys', { name: '' });
      const stranger = rig.stranger();
      await expectDeeds(stranger, STRANGER, () => stranger.remove('/api/tasks/task_1'), []);
    });
  });

  describe('with an access key', () => {
    it('is set, tried, and taken away', async () => {
      rig = await start();
      const local = rig.local();
      const put = (visitor: Visitor, key: string | null) => visitor.send('PUT', '/api/auth/access-key', { key });
      await expectDeeds(local, LOCAL, () => put(local, KEY), [{ action: 'access_key.set' }]);
      const browser = rig.stranger();
      const verify = (key: string) => () => browser.post('/api/auth/verify-access-key', { key });
      const refused = { action: 'access_key.verify', outcome: 'refused' };
      await expectDeeds(browser, STRANGER, verify('not the key'), [refused]);
      const credential = expect.stringMatching(/^session_/);
      const holder = { owner: 'local', actor: 'access-key', credential };
      await expectDeeds(browser, holder, verify(KEY), [{ action: 'access_key.verify' }]);
      const doer = await doerOf(browser);
      const logOut = () => browser.post('/api/auth/logout');
      await expectDeeds(browser, doer, logOut, [{ action: 'account.logout', target: doer.credential }]);
      await expectDeeds(browser, doer, logOut, []);
      await verify(KEY)();
      await expectDeeds(browser, await doerOf(browser), () => put(browser, null), [{ action: 'access_key.remove' }]);
    });
  });

  describe('with accounts', () => {
    let owner: Member;
    let doer: Doer;
    beforeAll(async () => {
      rig = await start();
    });

    /** The owner does something. */
    const deeds = (method: string, path: string, body: unknown, ...rows: object[]) =>
      expectDeeds(owner.browser, doer, () => owner.browser.send(method, path, body), rows);
    const row = (action: string, target: string, details: object = {}) => ({ action, target, details });
    const id = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_`));

    it('the first account is made', async () => {
      const browser = rig.local();
      const fields = { email: 'owner@example.com', password: PASSWORD, name: 'O' };
      const maker = { owner: 'local', actor: id('usr'), credential: id('session') };
      const signUp = () => browser.post('/api/auth/signup', fields);
      const done = row('account.signup', id('usr'), { role: 'owner' });
      const { user } = await expectDeeds(browser, maker, signUp, [done]);
      owner = { browser, user };
      doer = await doerOf(browser);
      expect(doer.actor).toBe(user.id);
      await expectDeeds(browser, doer, () => browser.post('/api/auth/signup', { ...fields, inviteCode: 'no' }), []);
    });

    it('an invite is made, used, and withdrawn', async () => {
      const fields = { role: 'admin', email: 'ada@example.com' };
      const { invite, code } = await deeds('POST', '/api/invites', fields, row('invite.create', id('invite'), fields));
      const browser = rig.stranger();
      const signUp = { email: 'ada@example.com', password: PASSWORD, name: 'A', inviteCode: code };
      const maker = { owner: id('usr'), actor: id('usr'), credential: id('session') };
      const done = row('account.signup', id('usr'), { role: 'admin', invite: invite.id });
      const { user } = await expectDeeds(browser, maker, () => browser.post('/api/auth/signup', signUp), [done]);
      expect(await doerOf(browser)).toMatchObject({ owner: user.id, actor: user.id });
      const { invite: next } = await owner.browser.must('POST', '/api/invites', {});
      await deeds('DELETE', `/api/invites/${next.id}`, undefined, row('invite.revoke', next.id));
      await deeds('DELETE', `/api/invites/${next.id}`, undefined);
    });

    it('somebody logs in, is refused, and logs out', async () => {
      const browser = rig.stranger();
      const login = (email: string, password: string) => () => browser.post('/api/auth/login', { email, password });
      const refused = (target: string) => ({ action: 'account.login', target, outcome: 'refused' });
      await expectDeeds(browser, STRANGER, login('owner@example.com', 'wrong wrong'), [refused(owner.user.id)]);
      await expectDeeds(browser, STRANGER, login('nobody@example.com', PASSWORD), [refused('')]);
      const who = { ...doer, credential: id('session') };
      await expectDeeds(browser, who, login('owner@example.com', PASSWORD), [row('account.login', owner.user.id)]);
      const now = await doerOf(browser);
      expect(now.credential).not.toBe(doer.credential);
      const logOut = () => browser.post('/api/auth/logout');
      await expectDeeds(browser, now, logOut, [row('account.logout', now.credential)]);
    });

    it('sessions are ended', async () => {
      const others = await Promise.all([1, 2, 3].map(() => rig.logIn('owner@example.com')));
      const one = await others[0]!.session();
      await deeds('DELETE', `/api/auth/sessions/${one}`, undefined, row('session.revoke', one, { sessions: 1 }));
      await deeds('DELETE', `/api/auth/sessions/${one}`, undefined);
      await deeds('DELETE', '/api/auth/sessions', undefined, row('session.revoke', '', { sessions: 2 }));
      await deeds('DELETE', '/api/auth/sessions', undefined);
    });

    it('an API key is made, does something, and is revoked', async () => {
      const fields = { name: 'K', scopes: ['chat', 'admin'], rateLimit: 600, budget: { tokens: 9, period: 'day' } };
      const details = { ...fields, expiresAt: expect.stringMatching(/Z$/) };
      const { key, secret } = await deeds(
        'POST',
        '/api/keys',
        { ...fields, expiresInDays: 1 },
        row('key.create', id('key'), details),
      );
      const program = rig.program(secret);
      const by = { ...doer, credential: key.id };
      const begun = { action: 'task.delete', target: 'task_1', outcome: 'begun' };
      const failed = { action: 'task.delete', target: 'task_1', outcome: 'failed', details: { code: 'not_found' } };
      await expectDeeds(program, by, () => program.remove('/api/tasks/task_1'), [begun, failed]);
      await deeds('DELETE', `/api/keys/${key.id}`, undefined, row('key.revoke', key.id, { name: 'K' }));
      await deeds('DELETE', `/api/keys/${key.id}`, undefined);
      await expectDeeds(program, STRANGER, () => program.remove('/api/tasks/task_1'), []);
    });

    it('an account is changed by its owner', async () => {
      const me = '/api/auth/me';
      const { id: target } = owner.user;
      await deeds('PATCH', me, { name: 'N' }, row('account.change', target, { fields: ['name'] }));
      const wrong = { currentPassword: 'wrong wrong' };
      const refused = (action: string) => ({ action, target, outcome: 'refused' });
      await deeds('PATCH', me, { email: 'o@example.com', ...wrong }, refused('account.change'));
      await deeds('PATCH', me, { password: 'another password', ...wrong }, refused('account.password'));
      await deeds('PATCH', me, { email: 'ada@example.com', currentPassword: PASSWORD });
      const other = await rig.logIn('owner@example.com');
      const change = { name: 'O', password: 'another password', currentPassword: PASSWORD };
      const details = { fields: ['name', 'password'], endedSessions: 2 };
      await deeds('PATCH', me, change, row('account.password', target, details));
      doer = await doerOf(owner.browser);
      await expectDeeds(other, STRANGER, () => other.patch(me, { name: 'N' }), []);
    });

    it('an account is changed and deleted by an admin', async () => {
      const { user } = await rig.join(owner.browser, 'mia');
      const path = `/api/users/${user.id}`;
      const change = { role: 'admin', rateLimit: 5, budget: { usd: 1, period: 'week' } };
      await deeds('PATCH', path, change, row('user.change', user.id, change));
      await deeds('PATCH', path, { disabled: true }, row('user.change', user.id, { disabled: true }));
      await deeds('PATCH', `/api/users/${owner.user.id}`, { disabled: true });
      await deeds('DELETE', path, undefined, row('user.delete', user.id, { role: 'admin' }));
      await deeds('DELETE', path, undefined);
    });
  });
});
