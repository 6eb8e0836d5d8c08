import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { SECURITY_MODES } from '../../src/tools/tool.ts';
import { type Json, startTestServer } from '../server.ts';
import type { Talk } from '../turns/rig.ts';
import { POLICY_TOOLS } from './policy-tools.ts';
import { type Called, must, onBothDatabases, type RunRig, startAgent, withTools } from './rig.ts';

// Rules, what they decide, and that asking beforehand tells what then happens.

const RULES = '/api/chat/tools/rules';
const EXPLAIN = '/api/chat/tools/explain';

const CALLS: Called[] = [
  ['open', { path: 'src/a.ts' }],
  ['open', { path: 'src/../docs/b.md' }],
  ['open', { path: '.env' }],
  ['open', { path: 'link-to-env' }],
  ['open', { path: '../outside' }],
  ['open', { path: 'missing' }],
  ['open', { paths: 'wrong' }],
  ['change', { path: 'src/a.ts' }],
  ['change', { path: 'link-to-src/new.ts' }],
  ['change', { path: '.env' }],
  ['change', { path: '/etc/passwd' }],
  ['shell', { command: 'git status' }],
  ['shell', { command: 'git status', hurry: true }],
  ['shell', { command: 'git status && rm -rf x' }],
  ['shell', { command: 'ls | grep a' }],
  ['shell', { command: 'f() { ls; }; f' }],
  ['visit', { url: 'https://example.com/a' }],
  ['visit', { url: 'https://docs.example.com:8443/' }],
  ['visit', { url: 'http://127.0.0.1/' }],
];

const MATCHES: [tool: string, match: object][] = [
  ['*', {}],
  ['open', {}],
  ['shell', {}],
  ['*', { path: 'src/**' }],
  ['change', { path: '**' }],
  ['open', { path: '.env' }],
  ['*', { path: '.env' }],
  ['shell', { command: 'git status *' }],
  ['shell', { command: 'ls *' }],
  ['shell', { command: 'grep *' }],
  ['shell', { command: 'rm *' }],
  ['shell', { arguments: { command: 'git status && rm -rf x' } }],
  ['visit', { host: 'example.com' }],
  ['visit', { host: '*.example.com' }],
  ['v*', { host: '*' }],
  ['open', { arguments: { path: '.env' } }],
];

const STATUS_OF: Record<string, string[]> = { allow: ['success'], ask: ['pending'], refuse: ['denied', 'error'] };

onBothDatabases((start, isPostgres) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start({}, (environment, home, box) =>
      startTestServer(environment, home, undefined, [
        ...POLICY_TOOLS,
        ...box.tools.filter(({ name }) => name === 'look'),
      ]),
    );
    mkdirSync(join(rig.workspace, 'src'));
    for (const name of ['src/a.ts', '.env']) writeFileSync(join(rig.workspace, name), 'x');
    symlinkSync('.env', join(rig.workspace, 'link-to-env'));
    symlinkSync('src', join(rig.workspace, 'link-to-src'));
  });

  async function makeRule(body: object): Promise<Json> {
    return (await must(rig.server.call(RULES, body))).rule;
  }

  const explain = (body: object): Promise<Json> => must(rig.server.call(EXPLAIN, body));
  const talkWith = async (call: Called): Promise<Talk> => (await rig.talk([call], 'Done', [call], 'Done')).talk;

  it('what explain says is what happens, in a message with tools and in an agent’s run', async () => {
    const rules = fc.array(fc.record({ match: fc.constantFrom(...MATCHES), isDeny: fc.boolean() }), { maxLength: 4 });
    const given = fc.record({ call: fc.constantFrom(...CALLS), mode: fc.constantFrom(...SECURITY_MODES), rules });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(given, async ({ call, mode: securityMode, rules: own }) => {
        const talk = await talkWith(call);
        for (const { match, isDeny } of own) {
          const [tool, what] = match;
          await makeRule({ tool, match: what, action: isDeny ? 'deny' : 'allow', conversationId: talk.id });
        }
        const [tool, given] = call;
        const said = await explain({ tool, arguments: given, securityMode, conversationId: talk.id });
        seen.add(said.decision);
        const answer = await must(withTools(talk, 'Go', { securityMode }));
        const done = answer.toolCalls[0];
        if (securityMode !== 'deny') {
          expect(STATUS_OF[said.decision]).toContain(done.status);
          if (done.status === 'denied') expect(done.result).toBe(said.reason);
          if (done.status === 'pending') expect(answer.pendingApprovals[0].reason).toBe(said.reason);
        } else expect(done.status).toBe('error');
        if (done.status === 'pending') await must(rig.cancel(answer.runId));
        const { model } = await rig.talk([call], 'Done');
        const watch = await startAgent(talk, 'Go', { securityMode, model: model.name });
        const name = done.status === 'pending' ? 'approval:required' : 'tool:result';
        const event = await watch.seen(name);
        if (name === 'tool:result') {
          expect(event.data).toMatchObject({ status: done.status, result: done.result });
          await watch.all();
        } else {
          expect(event.data).toMatchObject({ reason: said.reason });
          await must(rig.cancel(String(event.data.runId)));
        }
      }),
      { numRuns: isPostgres ? 10 : 60 },
    );
    expect(seen.size).toBeGreaterThan(1);
  });

  describe('a rule', () => {
    it('is made, listed, used and deleted', async () => {
      const talk = await talkWith(['change', { path: 'src/a.ts' }]);
      const fields = { tool: 'change', match: { path: 'src/**' }, action: 'allow' };
      const rule = await makeRule({ ...fields, conversationId: talk.id });
      expect(rule).toMatchObject({ ...fields, scope: 'conversation', conversationId: talk.id, usedCount: 0 });
      expect(rule.expiresAt).toBeNull();
      const question = { tool: 'change', arguments: { path: 'src/a.ts' }, conversationId: talk.id };
      expect(await explain(question)).toMatchObject({ decision: 'allow', rule: rule.id });
      expect(await explain({ ...question, conversationId: undefined })).toMatchObject({ decision: 'ask', rule: null });
      expect((await must(withTools(talk, 'Go'))).toolCalls[0].status).toBe('success');
      const { rules } = await must(rig.server.call(`${RULES}?limit=100`));
      expect(rules.find(({ id }: Json) => id === rule.id)).toMatchObject({ usedCount: 1 });
      await must(rig.server.call(`${RULES}/${rule.id}`, undefined, { method: 'DELETE' }));
      expect(await explain(question)).toMatchObject({ decision: 'ask' });
      expect((await rig.server.call(`${RULES}/${rule.id}`, undefined, { method: 'DELETE' })).status).toBe(404);
    });

    it('that denies counts what it has denied', async () => {
      const talk = await talkWith(['open', { path: 'src/a.ts' }]);
      const rule = await makeRule({ tool: 'open', match: {}, action: 'deny', conversationId: talk.id });
      expect((await must(withTools(talk, 'Go'))).toolCalls[0].status).toBe('denied');
      const { rules } = await must(rig.server.call(`${RULES}?limit=100`));
      expect(rules.find(({ id }: Json) => id === rule.id)).toMatchObject({ usedCount: 1 });
    });

    it('that says the same is the same one', async () => {
      const fields = { tool: 'open', match: { path: 'twice' }, action: 'deny' };
      const first = await makeRule(fields);
      const expiresAt = new Date(Date.now() + 60_000).toISOString();
      expect(await makeRule({ ...fields, expiresAt })).toMatchObject({ id: first.id, expiresAt });
      await must(rig.server.call(`${RULES}/${first.id}`, undefined, { method: 'DELETE' }));
    });

    it('no longer counts when it has expired', async () => {
      const { talk } = await rig.talk('Hello');
      const expiresAt = new Date(Date.now() + 1000).toISOString();
      await makeRule({ tool: 'change', match: {}, action: 'allow', conversationId: talk.id, expiresAt });
      const question = { tool: 'change', arguments: { path: 'a' }, conversationId: talk.id };
      await expect.poll(async () => (await explain(question)).decision).toBe('ask');
    });

    it('that another node makes counts here at once', async () => {
      const { talk } = await rig.talk('Hello');
      const question = { tool: 'change', arguments: { path: 'a' }, conversationId: talk.id };
      expect(await explain(question)).toMatchObject({ decision: 'ask' });
      const other = await rig.another();
      await must(other.call(RULES, { tool: 'change', match: {}, action: 'deny', conversationId: talk.id }));
      expect(await explain(question)).toMatchObject({ decision: 'refuse' });
    });

    it('is refused with all that is wrong with it', async () => {
      const wrong = await rig.server.call(RULES, {
        tool: 'no tool',
        match: { command: 'ls; rm', path: '../x', host: 'https://x' },
        action: 'allow',
      });
      expect(wrong.status).toBe(400);
      const paths = wrong.body.details.issues.map(({ path }: Json) => path);
      expect(paths).toEqual(['tool', 'match.command', 'match.path', 'match.host']);
      const fields = { tool: 'open', action: 'allow' };
      for (const more of [
        { action: 'maybe' },
        { scope: 'conversation' },
        { scope: 'user', conversationId: 'conv_1' },
        { expiresAt: '2020-01-01T00:00:00Z' },
        { match: { commands: 'ls' } },
      ])
        expect((await rig.server.call(RULES, { ...fields, ...more })).status).toBe(400);
      expect((await rig.server.call(RULES, { ...fields, conversationId: 'conv_none' })).status).toBe(404);
    });
  });

  it('a rule that would never apply is refused: it would be thought to', async () => {
    const wrong: [object, string, RegExp][] = [
      [{ tool: 'opn' }, 'tool', /There is no tool "opn"; did you mean "open"/],
      [{ tool: 'open', match: { command: 'rm *' } }, 'match.command', /about no command/],
      [{ tool: 'visit', match: { path: 'a' } }, 'match.path', /about no path/],
    ];
    for (const [fields, path, message] of wrong) {
      const answer = await rig.server.call(RULES, { ...fields, action: 'deny' });
      expect(answer.body.details.issues).toEqual([{ path, message: expect.stringMatching(message) }]);
    }
    // A server's tool may come later.
    const later = await makeRule({ tool: 'mcp__later__look', match: {}, action: 'deny' });
    await must(rig.server.call(`${RULES}/${later.id}`, undefined, { method: 'DELETE' }));
  });

  describe('a person’s yes', () => {
    it('to exactly this call: what else is asked for is asked about again', async () => {
      const { talk } = await rig.talk(
        [['shell', { command: 'make it', hurry: true }]],
        'Done',
        [['shell', { command: 'make it' }]],
        [['shell', { command: 'make it two' }]],
      );
      const { pendingApprovals } = await must(withTools(talk, 'Go'));
      await must(rig.approve(pendingApprovals[0], 'allow-always'));
      const again = await must(withTools(talk, 'Go'));
      // The same command counts, whatever does not make it another one.
      expect(again.toolCalls.map(({ status }: Json) => status)).toEqual(['success', 'pending']);
      await must(rig.cancel(again.runId));
    });

    it('opens the secret that it was asked about, and does not outdo a rule that denies', async () => {
      const call: Called = ['open', { path: '.env' }];
      const talk = await talkWith(call);
      const { pendingApprovals } = await must(withTools(talk, 'Go'));
      expect(pendingApprovals[0].reason).toMatch(/"\.env" may hold a secret/);
      expect(await must(rig.approve(pendingApprovals[0], 'allow-once'))).toMatchObject({ success: true });
      const again = await must(withTools(talk, 'Go'));
      await makeRule({ tool: '*', match: { path: '.env' }, action: 'deny', conversationId: talk.id });
      const answer = await must(rig.approve(again.pendingApprovals[0], 'allow-once'));
      expect(answer).toMatchObject({ success: false });
      const { toolCalls } = await rig.run(again.runId);
      expect(toolCalls[0]).toMatchObject({ status: 'denied' });
      expect(toolCalls[0].result).toMatch(/^A rule denies/);
    });

    it('to other arguments than may be is refused, and can still be given', async () => {
      const talk = await talkWith(['change', { path: 'a' }]);
      const { pendingApprovals } = await must(withTools(talk, 'Go'));
      const wrong = await rig.approve(pendingApprovals[0], 'allow-once', { editedArguments: { path: '../a' } });
      expect(wrong.status).toBe(400);
      expect(wrong.body.error).toMatch(/outside the workspace/);
      expect(await must(rig.approve(pendingApprovals[0], 'allow-once'))).toMatchObject({ success: true });
    });
  });

  it('other rules can be held against what was called', async () => {
    const { talk } = await rig.talk(
      [
        ['open', { path: 'src/a.ts' }],
        ['shell', { command: 'git status' }],
      ],
      'Done',
    );
    await must(withTools(talk, 'Go', { securityMode: 'full' }));
    const rules = [
      { tool: 'open', match: { path: 'src/**' }, action: 'deny' },
      { tool: 'shell', match: { command: 'git status' }, action: 'allow' },
    ];
    const body = { rules, conversationId: talk.id };
    const answer = await must(rig.server.call('/api/chat/tools/simulate', body));
    expect(answer).toMatchObject({
      changed: 1,
      calls: [
        {
          tool: 'open',
          status: 'success',
          stored: { decision: 'allow' },
          proposed: { decision: 'refuse', rule: 'new:0' },
        },
        { tool: 'shell', stored: { decision: 'allow', rule: null }, proposed: { decision: 'allow', rule: 'new:1' } },
      ],
    });
    const asked = await must(rig.server.call('/api/chat/tools/simulate', { ...body, securityMode: 'ask' }));
    expect(asked.calls.map(({ stored }: Json) => stored.decision)).toEqual(['allow', 'ask']);
    const wrong = await rig.server.call('/api/chat/tools/simulate', { rules: [{ tool: 'x y', action: 'deny' }] });
    expect(wrong.body.details.issues).toEqual([expect.objectContaining({ path: 'rules.0.tool' })]);
  });

  it('explain names what is wrong with the question', async () => {
    const unknown = await rig.server.call(EXPLAIN, { tool: 'opn', arguments: {} });
    expect(unknown.body.details.issues).toEqual([
      { path: 'tool', message: 'There is no tool "opn"; did you mean "open"?' },
    ]);
    expect(await explain({ tool: 'open', arguments: { path: 1 } })).toMatchObject({ decision: 'refuse', rule: null });
    const none = await rig.server.call(EXPLAIN, {
      tool: 'open',
      arguments: { path: 'a' },
      conversationId: 'conv_none',
    });
    expect(none.status).toBe(404);
    expect((await rig.server.call(EXPLAIN, { tool: 'open', securityMode: 'maybe' })).status).toBe(400);
  });
});
