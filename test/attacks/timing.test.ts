import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Gate } from '../../src/auth/gate.ts';
import { onBothDatabases, PASSWORD, type Rig } from '../access/rig.ts';
import type { Visitor } from '../access/visitor.ts';
import { expectError } from '../contract/helpers.ts';
import { countHashes, watchStatements } from './witness.ts';

// How long a refusal takes must not tell whether there is such an account. What could be measured is counted: the
// statements and the hashes of passwords. bench/login-timing.ts measures the rest.

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;
  let hashes: ReturnType<typeof countHashes>;
  let statements: ReturnType<typeof watchStatements>;

  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
    await rig.join(owner, 'wrong');
    const { user } = await rig.join(owner, 'disabled');
    await owner.must('PATCH', `/api/users/${user.id}`, { disabled: true });
    const { user: deleted } = await rig.join(owner, 'deleted');
    await owner.must('DELETE', `/api/users/${deleted.id}`);
  });

  beforeEach(() => {
    // Looked up once a second, for everybody.
    vi.spyOn(Gate.prototype, 'isLocked').mockResolvedValue(true);
    hashes = countHashes();
    statements = watchStatements();
  });

  afterEach(() => {
    hashes.stop();
    statements.stop();
    vi.restoreAllMocks();
  });

  /** What a refused request by somebody new costs. */
  async function costOf(path: string, body: object, status = 401) {
    const before = hashes.count();
    expect((await rig.stranger().post(path, body)).status).toBe(status);
    return { statements: [...statements.ofLast()], hashes: hashes.count() - before };
  }

  describe('a login', () => {
    const cost = (name: string, password = 'wrong password') =>
      costOf('/api/auth/login', { email: `${name}@example.com`, password });

    it('costs the same for an unknown account, a wrong password and a disabled account', async () => {
      // The first try of each makes its bucket, whether or not there is such an account.
      for (const name of ['wrong', 'unknown', 'disabled', 'deleted']) await cost(name);
      const wrong = await cost('wrong');
      expect(wrong.hashes).toBe(1);
      expect(wrong.statements.join('\n')).toMatch(/from "accounts"[\s\S]*insert into "audit_log"/);
      for (const other of [
        await cost('unknown'),
        await cost('disabled'),
        await cost('disabled', PASSWORD),
        await cost('deleted', PASSWORD),
        await cost('wrong', ''),
      ])
        expect(other).toEqual(wrong);
    });
  });

  describe('the access key', () => {
    const cost = () => costOf('/api/auth/verify-access-key', { key: 'no-such-key-0123456789' });

    it('costs the same whether there is one or not', async () => {
      await owner.must('PUT', '/api/auth/access-key', { key: null });
      // The first one makes the bucket that all of them take from.
      await cost();
      const none = await cost();
      await owner.must('PUT', '/api/auth/access-key', { key: 'access-key-0123456789' });
      const wrong = await cost();
      expect(wrong.hashes).toBe(1);
      expect(wrong.statements.length).toBeGreaterThan(4);
      expect(none).toEqual(wrong);
    });
  });

  describe('a sign-up without an invite', () => {
    const cost = (name: string, inviteCode?: string) =>
      costOf('/api/auth/signup', { email: `${name}@example.com`, password: PASSWORD, name, inviteCode }, 403);

    it('costs the same for a taken email and for one that nobody has', async () => {
      const taken = await cost('wrong');
      expect(taken.hashes).toBe(1);
      for (const other of [await cost('unknown'), await cost('disabled'), await cost('unknown', 'no such code')])
        expect(other).toEqual(taken);
    });
  });

  it('is not told by the limits either', async () => {
    const tries = async (name: string) => {
      const email = `${name}@example.com`;
      for (let i = 0; i < 6; i++)
        expect((await rig.stranger().post('/api/auth/login', { email, password: 'x' })).status).toBe(401);
      const failures = rig.db.selectFrom('login_failures').selectAll().where('name', '=', `account:${email}`);
      const row = await failures.executeTakeFirstOrThrow();
      return { failures: row.failures, pauseMs: row.blocked_until - row.last_at };
    };
    await rig.join(owner, 'other');
    const known = await tries('other');
    expect(known).toEqual({ failures: 6, pauseMs: 1000 });
    expect(await tries('nobody')).toEqual(known);
  });

  it('is not told by the answer either', async () => {
    const bodies = [];
    for (const [name, password] of [
      ['unknown', 'x'],
      ['wrong', 'x'],
      ['disabled', 'x'],
      ['disabled', PASSWORD],
      ['deleted', PASSWORD],
    ]) {
      const answer = await rig.stranger().post('/api/auth/login', { email: `${name}@example.com`, password });
      expectError(answer, 401, 'unauthenticated', 'The email or the password is wrong');
      const { requestId: _, ...body } = answer.body;
      const { 'x-request-id': __, date: ___, ...headers } = Object.fromEntries(answer.headers);
      bodies.push({ body, headers });
    }
    for (const other of bodies) expect(other).toEqual(bodies[0]);
  });
});
