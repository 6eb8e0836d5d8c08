import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATUS_OF } from '../../src/errors.ts';
import { INTERFACE } from '../../src/interface.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { method, says } from './helpers.ts';

const ROUTES = INTERFACE.routes;

let server: TestServer;
let doc: Json;

beforeAll(async () => {
  server = await startTestServer();
  doc = (await server.call('/api/openapi.json')).body;
});
afterAll(() => server.stop());

/** Every operation with its path and method. */
function operations(): { path: string; method: string; operation: Json }[] {
  return Object.entries<Json>(doc.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([name, operation]) => ({ path, method: name, operation })),
  );
}

/** Every object inside, with the place where it stands. */
function* objects(value: Json, at = '#'): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value];
  for (const [key, inner] of Object.entries(value)) yield* objects(inner, `${at}/${key}`);
}

describe('GET /api/openapi.json', () => {
  it('is an OpenAPI 3.1 document with what such a one must have', () => {
    expect(doc.openapi).toMatch(/^3\.1\.\d+$/);
    expect(doc.info).toMatchObject({ title: expect.any(String), version: 'test' });
    expect(
      Object.keys(doc).filter((key) => !['openapi', 'info', 'servers', 'paths', 'components'].includes(key)),
    ).toEqual([]);
    for (const path of Object.keys(doc.paths)) expect(path).toMatch(/^\/[\w./{}-]*$/);
  });

  it('every $ref resolves', () => {
    let refs = 0;
    for (const [at, { $ref }] of objects(doc)) {
      if (typeof $ref !== 'string') continue;
      refs++;
      expect($ref, at).toMatch(/^#\//);
      const target = $ref
        .slice(2)
        .split('/')
        .reduce((node: Json, key: string) => node?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
      expect(target, `${at}: ${$ref}`).toBeTypeOf('object');
    }
    expect(refs).toBeGreaterThan(100);
  });

  it('no schema is of a dialect of its own', () => {
    for (const [at, node] of objects(doc)) {
      for (const key of ['$schema', '$defs', 'nullable', 'example']) expect(node, at).not.toHaveProperty([key]);
    }
  });

  it('operationIds are unique names', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-zA-Z0-9]+$/);
  });

  it('every operation says what it answers, successes and errors', () => {
    for (const { path, method: name, operation } of operations()) {
      const at = `${name} ${path}`;
      expect(operation, at).toMatchObject({ summary: expect.stringMatching(/./), tags: [expect.any(String)] });
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.filter((status) => /^2\d\d$/.test(status)),
        at,
      ).toHaveLength(1);
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        expect(status, at).toMatch(/^[2-5]\d\d$/);
        expect(response.description, at).toMatch(/./);
        for (const content of Object.values<Json>(response.content)) expect(content.schema, at).toBeTypeOf('object');
        if (Number(status) >= 400) {
          expect(response.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Error' });
          for (const code of response.description.split(', ')) expect(STATUS_OF).toHaveProperty(code, Number(status));
        }
      }
    }
  });

  it('parameters match the path templates', () => {
    for (const { path, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'path');
      const templates = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(inPath.map(({ name }: Json) => name)).toEqual(templates);
      for (const parameter of inPath) expect(parameter).toMatchObject({ required: true, schema: { type: 'string' } });
      const names = (operation.parameters ?? []).map((parameter: Json) => `${parameter.in} ${parameter.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const parameter of operation.parameters ?? []) expect(parameter.schema).toBeTypeOf('object');
    }
  });

  it('the routes that create take an idempotency key, and no others do', () => {
    const takes = ({ operation }: { operation: Json }) =>
      (operation.parameters ?? []).some((parameter: Json) => parameter.in === 'header');
    expect(
      operations()
        .filter(takes)
        .map(({ path, method: name }) => `${name} ${path}`)
        .toSorted(),
    ).toEqual(
      ROUTES.filter(({ creates }) => creates)
        .map((route) => `${route.method} ${route.path}`)
        .toSorted(),
    );
    const single = ['tasks', 'tickets', ...['presets', 'completions', 'quick', 'smart'].map((end) => `chat/${end}`)];
    const messages = ['', '/with-tools', '/agentic'].map((end) => `/{id}/messages${end}`);
    const many = [...['', '/import', ...messages, '/{id}/retry', '/{id}/fork'].map((end) => `/conversations${end}`)];
    many.push('/runs/{id}/messages');
    for (const path of [...single, ...many.map((end) => `chat${end}`)]) {
      const { parameters, responses } = doc.paths[`/api/${path}`].post;
      const headers = parameters.filter((parameter: Json) => parameter.in === 'header');
      expect(headers).toEqual([expect.objectContaining({ name: 'Idempotency-Key', required: false })]);
      expect(responses['409'].description).toMatch(/conflict/);
      expect(responses['422'].description).toBe('idempotency_mismatch');
    }
  });

  it('describes every route, and no other', () => {
    expect(
      operations()
        .map(({ path, method: name }) => `${name} ${path}`)
        .toSorted(),
    ).toEqual(ROUTES.map((route) => `${route.method} ${route.path.replace('+}', '}')}`).toSorted());
  });

  it.each(
    `post /api/chat/completions|post /api/chat/quick|post /api/chat/smart|get /api/chat/presets|post /api/chat/presets
patch /api/chat/presets/{id}|delete /api/chat/presets/{id}|get /api/chat/models|get /api/chat/providers
get /api/chat/providers/{type}/models|post /api/chat/providers/{type}/configure|post /api/chat/providers/{type}/health
delete /api/chat/providers/{type}|post /api/chat/providers/default|get /api/tasks|post /api/tasks|get /api/tasks/{id}
patch /api/tasks/{id}|delete /api/tasks/{id}|get /api/tickets|post /api/tickets|get /api/tickets/{id}
patch /api/tickets/{id}|delete /api/tickets/{id}|get /health|get /ready|get /docs|get /api/openapi.json
get /api/chat/conversations|post /api/chat/conversations|post /api/chat/conversations/import
get /api/chat/conversations/{id}|patch /api/chat/conversations/{id}|delete /api/chat/conversations/{id}
post /api/chat/conversations/{id}/messages|delete /api/chat/conversations/{id}/messages/{messageId}
post /api/chat/conversations/{id}/retry|post /api/chat/conversations/{id}/fork
get /api/chat/conversations/{id}/export|get /api/chat/conversations/{id}/memory
post /api/chat/conversations/{id}/compact|delete /api/chat/conversations/{id}/compact
post /api/chat/conversations/{id}/messages/with-tools|post /api/chat/conversations/{id}/messages/agentic
get /api/chat/runs|get /api/chat/runs/{id}|get /api/chat/runs/{id}/events|post /api/chat/runs/{id}/cancel
post /api/chat/runs/{id}/messages|get /api/chat/approvals|post /api/chat/tools/approve|get /api/chat/tools
get /api/chat/tools/rules|delete /api/chat/tools/rules/{id}`.split(/[|\n]/),
  )('has %s', (route) => {
    const [name = '', path = ''] = route.split(' ');
    expect(doc.paths[path]).toHaveProperty(name);
    const takesBody = ['post', 'patch'].includes(name) && !path.endsWith('/health');
    expect(doc.paths[path][name].requestBody !== undefined, 'has a body').toBe(takesBody);
    if (takesBody)
      expect(Object.keys(doc.paths[path][name].responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    if (path.includes('{')) expect(doc.paths[path][name].responses).toHaveProperty('404');
  });

  it('the page is no JSON', () => {
    expect(Object.keys(doc.paths['/docs'].get.responses['200'].content)).toEqual(['text/html']);
  });

  it('the answers that stream say so', () => {
    const conversation = '/api/chat/conversations/{id}';
    const turns = ['messages', 'retry', 'messages/with-tools'].map((end) => `${conversation}/${end}`);
    for (const path of ['/api/chat/completions', '/api/chat/smart', ...turns])
      expect(Object.keys(doc.paths[path].post.responses['200'].content)).toEqual([
        'application/json',
        'text/event-stream',
      ]);
    const runs = [doc.paths[`${conversation}/messages/agentic`].post, doc.paths['/api/chat/runs/{id}/events'].get];
    for (const { responses } of runs)
      expect(responses['200'].content).toEqual({
        'text/event-stream': { schema: { $ref: '#/components/schemas/RunEvent' } },
      });
  });

  it('an answer to an approval says what can be wrong with it', () => {
    const { responses } = doc.paths['/api/chat/tools/approve'].post;
    expect([responses['404'].description, responses['409'].description]).toEqual(['approval_not_found', 'conflict']);
  });
});

describe('real answers are as documented: nothing missing, nothing that the document does not name', () => {
  it.each<[string, string, unknown]>([
    [
      'post /api/chat/completions',
      '/api/chat/completions',
      says('/reason x\n/tool a {}', { model: 'demo', temperature: 1 }),
    ],
    ['post /api/chat/quick', '/api/chat/quick', { prompt: '/reason x\n/say y', model: 'demo' }],
    ['post /api/chat/smart', '/api/chat/smart', says('Hi', { model: 'demo' })],
    ['get /api/chat/presets', '/api/chat/presets', undefined],
    ['post /api/chat/presets', '/api/chat/presets', { name: 'N', systemPrompt: 'S' }],
    ['get /api/chat/presets/{id}', '/api/chat/presets/writer', undefined],
    ['get /api/chat/models', '/api/chat/models', undefined],
    ['get /api/chat/providers', '/api/chat/providers', undefined],
    ['get /api/chat/providers/{type}/models', '/api/chat/providers/demo/models', undefined],
    ['post /api/chat/providers/{type}/configure', '/api/chat/providers/xai/configure', { apiKey: 'k' }],
    ['post /api/chat/providers/{type}/health', '/api/chat/providers/ollama/health', {}],
    ['post /api/chat/providers/default', '/api/chat/providers/default', { provider: 'demo' }],
    ['post /api/tasks', '/api/tasks', { title: 'T', prompt: 'P' }],
    ['get /api/tasks', '/api/tasks', undefined],
    ['post /api/tickets', '/api/tickets', { title: 'T' }],
    ['get /api/tickets/{id}', '/api/tickets/PC-1', undefined],
    ['get /api/tickets', '/api/tickets', undefined],
    ['get /api/chat/tools', '/api/chat/tools', undefined],
    ['get /api/chat/runs', '/api/chat/runs', undefined],
    ['get /api/chat/approvals', '/api/chat/approvals', undefined],
    ['get /api/chat/tools/rules', '/api/chat/tools/rules', undefined],
    ['get /health', '/health', undefined],
    ['get /ready', '/ready', undefined],
  ])('%s', async (name, path, body) => {
    const route = ROUTES.find((candidate) => `${candidate.method} ${candidate.path}` === name)!;
    const answer = await server.call(path, body);
    expect(answer.status).toBe(route.status ?? 200);
    expect(route.response.parse(answer.body)).toEqual(answer.body);
  });

  it('deletions and errors', async () => {
    const { task } = (await server.call('/api/tasks', { title: 'T', prompt: 'P' })).body;
    const answer = await server.call(`/api/tasks/${task.id}`, undefined, method('DELETE'));
    expect(answer.body).toEqual({ message: 'Task deleted' });
    const error = (await server.call('/api/tasks', {})).body;
    expect(Object.keys(doc.components.schemas.Error.properties)).toEqual(expect.arrayContaining(Object.keys(error)));
    expect(doc.components.schemas.Error.properties.code.enum.toSorted()).toEqual(Object.keys(STATUS_OF).toSorted());
  });

  it('conversations, from the first to the last', async () => {
    const path = '/api/chat/conversations';
    const ask = async (name: string, at: string, body?: object): Promise<Json> => {
      const route = routeOf(name, at);
      const answer = await server.call(at, undefined, method(name.toUpperCase(), body));
      expect([name, at, answer.status, answer.body.error]).toEqual([name, at, route.status ?? 200, undefined]);
      expect(route.response.parse(answer.body)).toEqual(answer.body);
      return answer.body;
    };
    const { id } = (await ask('post', path, { metadata: { a: [1] }, model: 'demo' })).conversation;
    const one = `${path}/${id}`;
    const picture = [{ type: 'image', image: 'data:image/png;base64,AAAA' }];
    const said = ['/reason x\n/say y\n/tool a {"b":1}', picture, `${'long '.repeat(1000)}`, 'End'];
    for (const content of said) await ask('post', `${one}/messages`, { content });
    expect((await server.call(`${one}/messages`, { content: 'Hi', model: 'ollama/none' })).status).toBe(502);
    const failed = await ask('get', one);
    expect(failed.messages.at(-1)).toMatchObject({ status: 'failed', error: { code: 'provider_unavailable' } });
    await ask('post', `${one}/retry`, { model: 'demo' });
    await ask('patch', one, { title: 'T' });
    await ask('get', path);
    const exported = await ask('get', `${one}/export`);
    await ask('post', `${path}/import`, exported);
    const fork = await ask('post', `${one}/fork`, { messageId: exported.messages[1].id });
    expect((await ask('post', `${one}/compact`, {})).compaction).not.toBeNull();
    expect((await ask('get', `${one}/memory`)).compactions).toHaveLength(1);
    expect((await ask('delete', `${one}/compact`)).compactions).toEqual([]);
    await ask('delete', `${one}/messages/${exported.messages[0].id}`);
    await ask('delete', `${path}/${fork.conversation.id}`);
  });

  it('the events of a stream', async () => {
    const route = ROUTES.find((candidate) => candidate.path === '/api/chat/completions')!;
    for (const orders of ['/reason x\n/tool a {"b":1}\n/say y', '/say y\n/cut 500']) {
      const { events } = await server.stream('/api/chat/completions', says(orders, { model: 'demo', stream: true }));
      for (const event of events) {
        const { details: _, ...known } = event;
        expect(route.event!.parse(known)).toEqual(known);
      }
    }
  });

  it('the events of a turn', async () => {
    const { id } = (await server.call('/api/chat/conversations', { model: 'demo' })).body.conversation;
    const one = `/api/chat/conversations/${id}`;
    const streamed = async (path: string, body: object): Promise<Json> => {
      const { events } = await server.stream(path, { ...body, stream: true });
      for (const event of events) expect(routeOf('post', path).event!.parse(event)).toEqual(event);
      expect(events.length).toBeGreaterThan(1);
      return events.at(-1);
    };
    const content = '/reason x\n/tool a {"b":1}\n/say y';
    expect(await streamed(`${one}/messages`, { content })).toMatchObject({ done: true, compaction: null });
    const cut = { done: true, partial: true, details: { messageId: expect.stringMatching(/^msg_/) } };
    expect(await streamed(`${one}/messages`, { content: '/say y\n/cut 500' })).toMatchObject(cut);
    expect(await streamed(`${one}/retry`, {})).toMatchObject(cut);
    const completion = { ...says(content), conversationId: id, model: 'demo' };
    const last = await streamed('/api/chat/completions', completion);
    expect(last).toMatchObject({ conversationId: id, messageId: expect.stringMatching(/^msg_/) });
  });
});

describe('runs answer as documented', () => {
  const chat = '/api/chat';
  const given = { path: 'made', content: 'x' };
  const orders = `/reason x\n/say y\n/tool write_file ${JSON.stringify(given)}\n/next\n/say z`;

  /** Asks, and compares the answer with what the document says of it. */
  async function ask(name: string, path: string, body?: object, as = path): Promise<Json> {
    const route = routeOf(name, as.split('?')[0] ?? '');
    const answer = await server.call(path, undefined, method(name.toUpperCase(), body));
    expect([name, path, answer.status, answer.body.error]).toEqual([name, path, route.status ?? 200, undefined]);
    expect(route.response.parse(answer.body)).toEqual(answer.body);
    return answer.body;
  }
  const conversation = async (): Promise<string> =>
    `${chat}/conversations/${(await ask('post', `${chat}/conversations`, { model: 'demo' })).conversation.id}`;

  it('from the question to the rule, and to the end', async () => {
    const path = await conversation();
    const asked = await ask('post', `${path}/messages/with-tools`, { content: orders });
    expect(asked).toMatchObject({ finishReason: 'approval-required', toolCalls: [{ status: 'pending' }] });
    const run = `${chat}/runs/${asked.runId}`;
    await ask('post', `${run}/messages`, { content: 'Go on' });
    expect((await ask('get', `${chat}/approvals?status=pending`)).approvals).toHaveLength(1);
    const [{ id: approvalId, conversationId }] = asked.pendingApprovals;
    const answer = {
      conversationId,
      approvalId,
      decision: 'allow-always',
      editedArguments: { ...given, content: 'w' },
    };
    const answered = await ask('post', `${chat}/tools/approve`, answer);
    expect(answered).toMatchObject({ success: true, run: { status: 'completed' }, message: { content: 'z' } });
    expect((await ask('get', run)).run).toMatchObject({ approvals: [{ editedArguments: { content: 'w' } }] });
    expect((await ask('get', `${chat}/runs?status=completed&limit=1`)).runs).toMatchObject([{ id: asked.runId }]);
    const { rules } = await ask('get', `${chat}/tools/rules`);
    await ask('delete', `${chat}/tools/rules/${rules[0].id}`);
    const again = await ask('post', `${path}/messages/with-tools`, { content: orders });
    expect((await ask('post', `${chat}/runs/${again.runId}/cancel`, {})).run).toMatchObject({ status: 'cancelled' });
    const unreachable = { content: 'Hi', model: 'ollama/none' };
    expect((await server.call(`${path}/messages/with-tools`, unreachable)).status).toBe(502);
    expect((await ask('get', `${chat}/runs?status=failed`)).runs).toMatchObject([
      { error: { code: 'provider_unavailable' } },
    ]);
    await ask('post', `${path}/retry`, { model: 'demo' }, `${path}/messages/with-tools`);
  });

  it('every event of both streams', async () => {
    const path = await conversation();
    const { event } = routeOf('post', `${path}/messages/with-tools`);
    const body = { content: orders, securityMode: 'full', stream: true };
    const { events } = await server.stream(`${path}/messages/with-tools`, body);
    for (const one of events) expect(event!.parse(one)).toEqual(one);
    expect(events.flatMap(Object.keys)).toEqual(
      expect.arrayContaining(['reasoning', 'content', 'toolCall', 'toolResult', 'runId']),
    );
    const response = await fetch(`${server.url}${path}/messages/agentic`, method('POST', { content: orders }));
    const sent = [...(await response.text()).matchAll(/^id: (\d+)\ndata: (.*)\n\n/gm)];
    expect(sent.map(([, id]) => Number(id))).toEqual(sent.map((_, index) => index + 1));
    const schema = routeOf('get', `${chat}/runs/run_1/events`).event!;
    for (const [, , json = ''] of sent) expect(schema.parse(JSON.parse(json))).toEqual(JSON.parse(json));
    expect(sent.map(([, , json = '']) => JSON.parse(json).type)).toEqual(
      expect.arrayContaining(['user_message', 'session:start', 'tool:call', 'tool:result', 'summary', 'complete']),
    );
  });
});

/** The route that a path leads to. */
function routeOf(name: string, path: string): (typeof ROUTES)[number] {
  const routes = ROUTES.filter((route) => route.method === name);
  const isMeant = (template: string): boolean => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return routes.find((route) => route.path === path) ?? routes.find((route) => isMeant(route.path))!;
}
