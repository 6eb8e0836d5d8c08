import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { args, content, judge, junk, mutate, mutation, sampling, send, some, text } from './fuzzing.ts';

// Nothing of this machine is touched: the tools' folder is one of the test's own, and no commands are in what is asked.

const RUNS = 80;
const CONVERSATIONS = '/api/chat/conversations';
const NAMES = ['read_file', 'write_file', 'list_directory', 'complete_task'] as const;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function conversation(): Promise<string> {
  const { id } = (await server.call(CONVERSATIONS, { model: 'demo' })).body.conversation;
  return `${CONVERSATIONS}/${id}`;
}

/** A run that waits for a person: its path, and what answers it. */
async function waiting(): Promise<{ run: string; conversationId: string; approvalId: string }> {
  const order = `/tool write_file ${JSON.stringify({ path: 'asked', content: 'for' })}`;
  const { runId, pendingApprovals } = (
    await server.call(`${await conversation()}/messages/with-tools`, { content: order })
  ).body;
  const [{ id: approvalId, conversationId }] = pendingApprovals;
  return { run: `/api/chat/runs/${runId}`, conversationId, approvalId };
}

const path = fc.oneof(text, fc.constantFrom('.', 'a/b', '../x', '/dev/null/x', '.git', 'a\u0000b', '~'));
const fitting = fc.oneof(
  fc.record({ path, content: text }),
  fc.record({ path }),
  fc.record({ summary: text }),
  fc.record({ path, offset: fc.integer(), limit: fc.integer() }),
);
/** What has the demo model call tools, with arguments that fit and others. */
const orders = fc
  .array(fc.tuple(fc.constantFrom(...NAMES, 'no_such_tool'), fc.oneof(fitting, args)), { minLength: 1, maxLength: 4 })
  .chain((calls) => fc.tuple(fc.constant(calls), fc.constantFrom('\n', '\n/next\n')))
  .map(([calls, between]) => calls.map(([name, given]) => `/tool ${name} ${JSON.stringify(given)}`).join(between));

const common = {
  content: fc.oneof(content, orders),
  model: fc.constant('demo'),
  securityMode: fc.constantFrom('deny', 'sandbox', 'allowlist', 'ask', 'full'),
  tools: fc.subarray([...NAMES]),
  ...sampling,
};
const withTools = some(
  {
    ...common,
    enableTools: fc.boolean(),
    maxRoundtrips: fc.integer({ min: 1, max: 5 }),
    stream: fc.boolean(),
  },
  ['content'],
);
const agentic = some(
  {
    ...common,
    // One that asks would be waited for.
    securityMode: fc.constantFrom('deny', 'sandbox', 'allowlist', 'full'),
    provider: fc.constant('demo'),
    showThinking: fc.boolean(),
    maxSteps: fc.integer({ min: 1, max: 200 }),
    maxBudget: fc.integer({ min: 1000 }),
    effort: fc.constantFrom('low', 'medium', 'high', 'max'),
    onCrash: fc.constantFrom('resume', 'ask', 'fail'),
  },
  ['content'],
);
const always = some(
  {
    // A rule has a scope.
    decision: fc.constantFrom('allow-always'),
    editedArguments: fc.oneof(fc.record({ path: fc.constant('edited'), content: text }), fitting, args),
    reason: text,
    scope: fc.constantFrom('conversation', 'user'),
    wait: fc.constantFrom(0, 100, 2000),
  },
  ['decision'],
);
const answer = fc
  .tuple(always, fc.constantFrom('allow-once', 'allow-always', 'deny'))
  .map(
    ([{ scope, ...rest }, decision]): Json =>
      decision === 'allow-always' ? { ...rest, scope } : { ...rest, decision },
  );

describe.each<[string, fc.Arbitrary<Json>]>([
  ['with-tools', withTools],
  ['agentic', agentic],
])('POST %s', (name, body) => {
  it('takes every valid body', async () => {
    await fc.assert(
      fc.asyncProperty(body, async (valid) => {
        const { status, body } = await send(server, `${await conversation()}/messages/${name}`, 'POST', valid);
        expect({ status, body }).toMatchObject({ status: 200 });
      }),
      { numRuns: RUNS },
    );
  });

  it('never breaks on a wrong one', async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.array(mutation, { minLength: 1, maxLength: 3 }), async (valid, mutations) => {
        const spoilt = mutate(valid, mutations);
        // A stream of a run that waits does not end.
        if (name === 'agentic' && spoilt?.securityMode === 'ask') return;
        judge(await send(server, `${await conversation()}/messages/${name}`, 'POST', spoilt));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('answers, messages and ends', () => {
  // A rule for all would answer what the next one asks.
  const decide = async (valid: Json, ids: object, mutations: Parameters<typeof mutate>[1] = []) =>
    await send(server, '/api/chat/tools/approve', 'POST', mutate({ ...ids, ...valid }, mutations));
  const forget = async () => {
    const { rules } = (await server.call('/api/chat/tools/rules')).body;
    for (const { id } of rules) await server.call(`/api/chat/tools/rules/${id}`, undefined, { method: 'DELETE' });
  };

  it('an approval takes every valid answer; arguments that do not fit are a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (valid) => {
        const { run: _, ...ids } = await waiting();
        const { status, body } = await decide(valid, ids);
        await forget();
        const isSaid = status === 200 || (body.code === 'invalid_request' && valid.editedArguments !== undefined);
        expect({ status, body, isSaid }).toMatchObject({ isSaid: true });
      }),
      { numRuns: RUNS },
    );
  });

  it('nor breaks on a wrong one', async () => {
    await fc.assert(
      fc.asyncProperty(answer, fc.array(mutation, { minLength: 1, maxLength: 3 }), async (valid, mutations) => {
        const { run: _, ...ids } = await waiting();
        judge(await decide(valid, ids, mutations));
        await forget();
      }),
      { numRuns: RUNS },
    );
  });

  it('a run takes every message, and is not broken by a wrong one, nor by a wrong end', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(mutation, { maxLength: 2 }), async (said, mutations) => {
        const { run } = await waiting();
        const sent = await send(server, `${run}/messages`, 'POST', mutate({ content: said }, mutations));
        if (mutations.length === 0) expect(sent.status).toBe(201);
        judge(sent);
        judge(await send(server, `${run}/cancel`, 'POST', mutate({ a: 1 }, mutations)));
      }),
      { numRuns: RUNS },
    );
  });
});

it('no query breaks what lists and watches', async () => {
  const { runId } = (await server.call(`${await conversation()}/messages/with-tools`, { content: 'Hi' })).body;
  const paths = ['runs', 'approvals', 'tools/rules', `runs/${runId}/events`].map((end) => `/api/chat/${end}`);
  const names = ['limit', 'cursor', 'status', 'conversationId', 'after', 'more'];
  const fields = fc.array(fc.tuple(fc.constantFrom(...names), junk), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fields, fc.nat(100), async (path, query, last) => {
      const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, String(value)]));
      const headers = { 'last-event-id': last > 50 ? `x${last}` : String(last) };
      const response = await fetch(`${server.url}${path}?${search}`, { headers });
      const said = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json');
      judge({ status: response.status, body: isJson ? JSON.parse(said) : said, headers: response.headers });
    }),
    { numRuns: 3 * RUNS },
  );
});

it('no tool reaches what lies outside its folder', async () => {
  const inHome = (name: string) => join(server.home, name);
  const paths = ['../x', 'a/../../x', './../workspace/../x', inHome('x'), '/dev/null/x', '..', inHome('secret.key')];
  for (const name of ['write_file', 'read_file', 'list_directory'] as const) {
    const calls = paths.map((path) => JSON.stringify({ path, ...(name === 'write_file' ? { content: 'x' } : {}) }));
    const body = { content: calls.map((given) => `/tool ${name} ${given}`).join('\n'), securityMode: 'full' };
    const { toolCalls } = (await server.call(`${await conversation()}/messages/with-tools`, body)).body;
    expect(toolCalls.map(({ status }: Json) => status)).toEqual(paths.map(() => 'denied'));
  }
});

it('after all of this every run has an end or waits, and nothing was written outside the folder of the tools', async () => {
  for (const status of ['queued', 'running']) {
    const runs = async () => (await server.call(`/api/chat/runs?status=${status}`)).body.runs;
    await expect.poll(runs).toEqual([]);
  }
  expect((await server.call('/ready')).status).toBe(200);
  const kept = readdirSync(server.home).filter((name) => !/^(profclaw|engine)\.db(-(shm|wal|lock))?$/.test(name));
  expect(kept.toSorted()).toEqual(['secret.key', 'workspace']);
  expect(readdirSync(join(server.home, 'workspace'))).toContain('edited');
});
