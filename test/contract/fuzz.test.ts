import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { args, content, judge, mutate, mutation, sampling, send, some, text } from './fuzzing.ts';

const RUNS = 80;

let server: TestServer;
/** Its own, so that no changed provider gets in the way of the others. */
let configured: TestServer;
let ids: Record<string, string>;

beforeAll(async () => {
  [server, configured] = await Promise.all([startTestServer(), startTestServer()]);
  ids = {
    tasks: (await server.call('/api/tasks', { title: 'T', prompt: 'P' })).body.task.id,
    tickets: (await server.call('/api/tickets', { title: 'T' })).body.ticket.id,
    presets: (await server.call('/api/chat/presets', { name: 'N', systemPrompt: 'S' })).body.preset.id,
  };
});
afterAll(() => Promise.all([server.stop(), configured.stop()]));

const turn = fc.oneof(
  fc.tuple(fc.record({ role: fc.constant('user'), content })),
  fc.tuple(fc.record({ role: fc.constant('system'), content: text })),
  fc.tuple(fc.record({ role: fc.constant('assistant'), content: text })),
  fc.tuple(text, args, text).map(([id, given, said]) => [
    { role: 'assistant', content: null, toolCalls: [{ id, name: 'look', arguments: given }] },
    { role: 'tool', toolCallId: id, content: said },
  ]),
);
const messages = fc
  .tuple(fc.array(turn, { maxLength: 4 }), content)
  .map(([turns, last]) => [...turns.flat(), { role: 'user', content: last }]);
const tools = fc
  .uniqueArray(fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.record({
      tools: fc.constant(names.map((name) => ({ name, description: 'x', parameters: { type: 'object' } }))),
      toolChoice: fc.constantFrom('auto', 'none', 'required', ...names),
    }),
  );

const completion = fc
  .tuple(
    some(
      {
        model: fc.constant('demo'),
        messages,
        systemPrompt: text,
        fallbacks: fc.constant(['demo/demo']),
        stream: fc.boolean(),
        ...sampling,
      },
      ['model', 'messages'],
    ),
    fc.option(tools, { nil: {} }),
  )
  .map(([body, own]) => ({ ...body, ...own }));
const labels = fc.array(
  text.filter((label) => label.length <= 100),
  { maxLength: 5 },
);
const task = {
  title: text,
  prompt: text,
  description: fc.option(text),
  priority: fc.integer({ min: 1, max: 4 }),
  labels,
};
const ticket = { title: text, description: fc.option(text), type: fc.constantFrom('bug', 'question'), labels };
const preset = { name: text, systemPrompt: text, description: text, model: fc.option(text), ...sampling };

const CASES: [string, string, () => string, fc.Arbitrary<Json>, number][] = [
  ['POST', 'completions', () => '/api/chat/completions', completion, 200],
  [
    'POST',
    'quick',
    () => '/api/chat/quick',
    some({ prompt: text, model: fc.constant('demo'), systemPrompt: text, ...sampling }, ['prompt', 'model']),
    200,
  ],
  [
    'POST',
    'smart',
    () => '/api/chat/smart',
    some({ messages, model: fc.constant('demo'), stream: fc.boolean(), ...sampling }, ['messages', 'model']),
    200,
  ],
  ['POST', 'tasks', () => '/api/tasks', some(task, ['title', 'prompt']), 201],
  ['PATCH', 'tasks', () => `/api/tasks/${ids.tasks}`, some(task, []), 200],
  ['POST', 'tickets', () => '/api/tickets', some(ticket, ['title']), 201],
  ['PATCH', 'tickets', () => `/api/tickets/${ids.tickets}`, some(ticket, []), 200],
  ['POST', 'presets', () => '/api/chat/presets', some(preset, ['name', 'systemPrompt']), 201],
  ['PATCH', 'presets', () => `/api/chat/presets/${ids.presets}`, some(preset, []), 200],
];

describe.each(CASES)('%s %s', (name, _, path, body, success) => {
  it('takes every valid body', async () => {
    await fc.assert(
      fc.asyncProperty(body, async (valid) => {
        const answer = await send(server, path(), name, valid);
        expect({ status: answer.status, body: answer.body }).toMatchObject({ status: success });
      }),
      { numRuns: RUNS / 2 },
    );
  });

  it('never breaks on a wrong one', async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.array(mutation, { minLength: 1, maxLength: 3 }), async (valid, mutations) => {
        judge(await send(server, path(), name, mutate(valid, mutations)));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('provider settings', () => {
  const settings = some(
    {
      apiKey: fc.option(fc.stringMatching(/^[a-z0-9]{1,20}$/)),
      baseUrl: fc.option(fc.constantFrom('http://127.0.0.1:9/v1', 'http://127.0.0.1:9', 'https://127.0.0.1:9/a/b/')),
      defaultModel: fc.option(text),
      enabled: fc.option(fc.boolean()),
      headers: fc.option(fc.constant({ 'x-a': 'b' })),
      resourceName: fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/)),
      deploymentName: fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/)),
      apiVersion: fc.option(fc.constant('2024-10-21')),
      organization: fc.option(fc.constant('org-1')),
      project: fc.option(fc.constant('proj_1')),
    },
    [],
  );

  it.each(['azure', 'mistral'])('%s: nothing that can be saved breaks what reads it', async (type) => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(mutation, { maxLength: 3 }), async (valid, mutations) => {
        const answer = await send(
          configured,
          `/api/chat/providers/${type}/configure`,
          'POST',
          mutate(valid, mutations),
        );
        judge(answer);
        if (mutations.length === 0) expect(answer.status).toBe(200);
        expect((await configured.call('/api/chat/providers')).status).toBe(200);
      }),
      { numRuns: RUNS },
    );
    expect((await configured.call('/api/chat/models')).status).toBe(200);
    judge(await configured.call(`/api/chat/providers/${type}/models`));
  });

  it('default', async () => {
    const valid = fc.constantFrom<Json>(
      { provider: 'demo' },
      { provider: 'groq' },
      { provider: 'demo', model: 'demo' },
    );
    await fc.assert(
      fc.asyncProperty(valid, fc.array(mutation, { minLength: 1, maxLength: 2 }), async (body, mutations) => {
        judge(await send(configured, '/api/chat/providers/default', 'POST', mutate(body, mutations)));
      }),
      { numRuns: RUNS },
    );
  });
});
