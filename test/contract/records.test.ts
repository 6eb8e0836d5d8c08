import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_PRESETS } from '../../src/chat/presets.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method } from './helpers.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Kind {
  path: string;
  one: string;
  id: RegExp;
  least: Json;
  /** What a record made of `least` has besides. */
  defaults: Json;
  full: Json;
  /** Bodies that are refused, with the paths of the complaints. */
  wrong: [string, object, string[]][];
  /** Fields that `null` clears, with what they are then. */
  clearable: Record<string, unknown>;
}

const long = (length: number): string => 'x'.repeat(length);

const KINDS: [string, Kind][] = [
  [
    'tasks',
    {
      path: '/api/tasks',
      one: 'task',
      id: /^task_[0-9a-z]{24}$/,
      least: { title: 'T', prompt: 'P' },
      defaults: { description: null, status: 'pending', priority: 3, labels: [] },
      full: {
        title: long(500),
        prompt: 'Ünïcödé 🦀\n',
        description: 'D',
        status: 'in_progress',
        priority: 1,
        labels: Array.from({ length: 50 }, (_, i) => `l${i}`),
      },
      wrong: [
        ['no prompt', { prompt: undefined }, ['prompt']],
        ['empty prompt', { prompt: '' }, ['prompt']],
        ['prompt too long', { prompt: long(1_000_001) }, ['prompt']],
        ['status of a ticket', { status: 'open' }, ['status']],
      ],
      clearable: { description: null },
    },
  ],
  [
    'tickets',
    {
      path: '/api/tickets',
      one: 'ticket',
      id: /^ticket_[0-9a-z]{24}$/,
      least: { title: 'T' },
      defaults: {
        key: expect.stringMatching(/^PC-\d+$/),
        description: null,
        type: 'task',
        status: 'open',
        priority: 3,
        labels: [],
      },
      full: { title: long(500), description: '{}', type: 'bug', status: 'closed', priority: 4, labels: [long(100)] },
      wrong: [
        ['unknown type', { type: 'epic' }, ['type']],
        ['status of a task', { status: 'pending' }, ['status']],
        ['a key of one’s own', { key: 'PC-1' }, ['key']],
      ],
      clearable: { description: null },
    },
  ],
];

const SHARED_WRONG: Kind['wrong'] = [
  ['no title', { title: undefined }, ['title']],
  ['empty title', { title: '' }, ['title']],
  ['title too long', { title: long(501) }, ['title']],
  ['title of a wrong type', { title: {} }, ['title']],
  ['NUL in the title', { title: 'a\u0000b' }, ['title']],
  ['half a surrogate pair', { title: '\ud800' }, ['title']],
  ['priority 0', { priority: 0 }, ['priority']],
  ['priority 5', { priority: 5 }, ['priority']],
  ['priority 1.5', { priority: 1.5 }, ['priority']],
  ['priority as text', { priority: '1' }, ['priority']],
  ['51 labels', { labels: Array.from({ length: 51 }, () => 'x') }, ['labels']],
  ['an empty label', { labels: ['a', ''] }, ['labels.1']],
  ['a label too long', { labels: [long(101)] }, ['labels.0']],
  ['labels as text', { labels: 'a' }, ['labels']],
  ['an id of one’s own', { id: 'x' }, ['id']],
  ['several at once', { title: '', priority: 9, owner: 'me' }, ['owner', 'priority', 'title']],
];

const PRESET: Kind = {
  path: '/api/chat/presets',
  one: 'preset',
  id: /^preset_[0-9a-z]{24}$/,
  least: { name: 'N', systemPrompt: 'S' },
  defaults: { description: '', model: null, temperature: null, maxTokens: null },
  full: {
    name: long(200),
    systemPrompt: 'S',
    description: long(10_000),
    model: long(300),
    temperature: 2,
    maxTokens: Number.MAX_SAFE_INTEGER,
  },
  wrong: [
    ['no name', { name: undefined }, ['name']],
    ['name too long', { name: long(201) }, ['name']],
    ['empty prompt', { systemPrompt: '' }, ['systemPrompt']],
    ['temperature 2.1', { temperature: 2.1 }, ['temperature']],
    ['maxTokens 0', { maxTokens: 0 }, ['maxTokens']],
    ['maxTokens too large to be whole', { maxTokens: 1e300 }, ['maxTokens']],
    ['empty model', { model: '' }, ['model']],
    ['NUL in the prompt', { systemPrompt: '\u0000' }, ['systemPrompt']],
    ['an unknown field', { tools: [] }, ['tools']],
  ],
  clearable: { model: null, temperature: null, maxTokens: null },
};

const ALL: [string, Kind][] = [
  ...KINDS.map(([name, kind]): [string, Kind] => [name, { ...kind, wrong: [...SHARED_WRONG, ...kind.wrong] }]),
  ['presets', PRESET],
];

describe.each(ALL)('%s', (_, kind) => {
  const create = (body: object) => server.call(kind.path, body);
  const url = (record: { id: string }) => `${kind.path}/${record.id}`;

  it('is created with defaults, and read back as it was', async () => {
    const { status, body } = await create(kind.least);
    expect(status).toBe(201);
    const record = body[kind.one];
    const times = { createdAt: expect.stringMatching(ISO), updatedAt: record.createdAt };
    expect(record).toEqual({ ...kind.least, ...kind.defaults, ...times, id: expect.stringMatching(kind.id) });
    expect(await server.call(url(record))).toMatchObject({ status: 200, body });
  });

  it('keeps everything given', async () => {
    const { status, body } = await create(kind.full);
    expect(status).toBe(201);
    expect(body[kind.one]).toMatchObject(kind.full);
  });

  it.each(kind.wrong)('refuses to create: %s', async (_, change, paths) => {
    expect(issuePaths(await create({ ...kind.least, ...change })).toSorted()).toEqual(paths);
  });

  it.each(kind.wrong.filter(([, change]) => Object.values(change).every((value) => value !== undefined)))(
    'refuses to change: %s',
    async (_, change, paths) => {
      const record = (await create(kind.least)).body[kind.one];
      expect(issuePaths(await server.call(url(record), undefined, method('PATCH', change))).toSorted()).toEqual(paths);
      expect((await server.call(url(record))).body[kind.one]).toEqual(record);
    },
  );

  it('changes what is given and nothing else', async () => {
    const record = (await create(kind.full)).body[kind.one];
    for (const [field, value] of Object.entries(kind.least)) {
      const { status, body } = await server.call(url(record), undefined, method('PATCH', { [field]: value }));
      expect(status).toBe(200);
      record[field] = value;
      expect(body[kind.one]).toEqual({ ...record, updatedAt: expect.stringMatching(ISO) });
      expect(body[kind.one].updatedAt >= record.updatedAt).toBe(true);
    }
  });

  it('null clears what may be absent', async () => {
    const record = (await create(kind.full)).body[kind.one];
    const clear = Object.fromEntries(Object.keys(kind.clearable).map((field) => [field, null]));
    const { body } = await server.call(url(record), undefined, method('PATCH', clear));
    expect(body[kind.one]).toMatchObject(kind.clearable);
    const required = Object.keys(kind.least);
    const nothing = Object.fromEntries(required.map((field) => [field, null]));
    expect(issuePaths(await server.call(url(record), undefined, method('PATCH', nothing)))).toEqual(required);
  });

  it('a body that is no object is refused', async () => {
    const record = (await create(kind.least)).body[kind.one];
    for (const body of ['null', '[]', '5', '"x"']) {
      const headers = { 'content-type': 'application/json' };
      for (const [path, name] of [
        [kind.path, 'POST'],
        [url(record), 'PATCH'],
      ] as const) {
        expect(issuePaths(await server.call(path, undefined, { method: name, headers, body }))).toEqual(['body']);
      }
    }
  });

  it('is deleted once; then everything about it is 404', async () => {
    const record = (await create(kind.least)).body[kind.one];
    const first = await server.call(url(record), undefined, method('DELETE'));
    expect(first).toMatchObject({ status: 200, body: { message: expect.stringMatching(/ deleted$/) } });
    for (const again of [method('DELETE'), method('GET'), method('PATCH', {})]) {
      expectError(await server.call(url(record), undefined, again), 404, 'not_found', record.id);
    }
  });

  it.each(['none', '%00', '%F0%9F%A6%80', `${'x'.repeat(200)}`, '..%2f..', '%zz'])(
    'an id that nothing has is 404: %s',
    async (id) => expectError(await server.call(`${kind.path}/${id}`), 404, 'not_found'),
  );

  it('an id too long to be one is 400', async () => {
    expect(issuePaths(await server.call(`${kind.path}/${'x'.repeat(201)}`))).toEqual(['path.id']);
  });
});

describe('lists', () => {
  it.each(['tasks', 'tickets'])('%s: pages, newest first, filtered by status', async (name) => {
    const own = await startTestServer();
    const path = `/api/${name}`;
    const [early, late] = name === 'tasks' ? ['pending', 'completed'] : ['open', 'done'];
    for (let i = 0; i < 25; i++) {
      await own.call(path, {
        title: `${i}`,
        ...(name === 'tasks' ? { prompt: 'x' } : {}),
        status: i < 5 ? late : early,
      });
    }
    const titles = async (query: string): Promise<string[]> =>
      (await own.call(path + query)).body[name].map((record: Json) => record.title);
    const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${from - i}`);
    expect(await titles('')).toEqual(numbers(24, 20));
    expect(await titles('?offset=20')).toEqual(numbers(4, 5));
    expect(await titles('?limit=3&offset=2')).toEqual(numbers(22, 3));
    expect(await titles(`?status=${late}`)).toEqual(numbers(4, 5));
    expect(await titles('?limit=100&offset=100')).toEqual([]);
    for (const [query, total] of [
      ['', 25],
      [`?status=${late}&limit=1`, 5],
      ['?offset=99', 25],
    ] as const)
      expect((await own.call(path + query)).body.total).toBe(total);
    await own.stop();
  });

  it.each(['/api/tasks', '/api/tickets', '/api/chat/presets'])('%s refuses wrong queries', async (path) => {
    for (const [query, paths] of [
      ['limit=0', ['query.limit']],
      ['limit=101', ['query.limit']],
      ['limit=x', ['query.limit']],
      ['limit=1.5', ['query.limit']],
      ['offset=-1', ['query.offset']],
      ['limit=&offset=x', ['query.limit', 'query.offset']],
      ['nonsense=1', ['query.nonsense']],
      ['offset=1e30', ['query.offset']],
    ] as const) {
      expect(issuePaths(await server.call(`${path}?${query}`))).toEqual(paths);
    }
  });
});

describe('tickets', () => {
  it('have keys in order, found in any case, never given twice', async () => {
    const own = await startTestServer();
    const create = async () => (await own.call('/api/tickets', { title: 'x' })).body.ticket;
    expect([await create(), await create()].map((ticket) => ticket.key)).toEqual(['PC-1', 'PC-2']);
    expect((await own.call('/api/tickets/pc-2')).body.ticket.key).toBe('PC-2');
    expect((await own.call('/api/tickets/PC-2', undefined, method('DELETE'))).status).toBe(200);
    expect((await create()).key).toBe('PC-3');
    const patched = await own.call('/api/tickets/PC-3', undefined, method('PATCH', { status: 'done' }));
    expect(patched.body.ticket).toMatchObject({ key: 'PC-3', status: 'done' });
    for (const key of ['PC-0', 'PC-2', 'PC-99999999999999', 'PC-', 'PC-1x'])
      expectError(await own.call(`/api/tickets/${key}`), 404, 'not_found');
    await own.stop();
  });

  it('made at the same time get different keys', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => server.call('/api/tickets', { title: 'x' })));
    expect(new Set(made.map(({ body }) => body.ticket.key)).size).toBe(20);
  });
});

describe('presets', () => {
  it('list the built-in ones first, then one’s own, newest first', async () => {
    const own = await startTestServer();
    for (const name of ['a', 'b']) await own.call('/api/chat/presets', { name, systemPrompt: 'S' });
    const { body } = await own.call('/api/chat/presets');
    expect(body).toMatchObject({ default: 'profclaw-assistant', total: BUILT_IN_PRESETS.length + 2 });
    const ids = BUILT_IN_PRESETS.map((preset) => preset.id);
    expect(body.presets.slice(0, ids.length).map((preset: Json) => preset.id)).toEqual(ids);
    expect(body.presets.slice(ids.length).map((preset: Json) => preset.name)).toEqual(['b', 'a']);
    const rest = (await own.call('/api/chat/presets?offset=1&limit=5')).body.presets;
    expect(rest.map((preset: Json) => preset.name)).toEqual(['a']);
    await own.stop();
  });

  it.each(BUILT_IN_PRESETS.map((preset) => preset.id))('%s can be read, not changed or deleted', async (id) => {
    const path = `/api/chat/presets/${id}`;
    expect((await server.call(path)).body.preset.id).toBe(id);
    expectError(await server.call(path, undefined, method('PATCH', { name: 'x' })), 409, 'conflict', /built in/);
    expectError(await server.call(path, undefined, method('DELETE')), 409, 'conflict', /built in/);
  });
});

it('records survive a restart', async () => {
  const first = await startTestServer({}, server.home);
  const { task } = (await first.call('/api/tasks', { title: 'kept', prompt: 'x' })).body;
  await first.stop();
  const second = await startTestServer({}, server.home);
  expect((await second.call(`/api/tasks/${task.id}`)).body.task).toEqual(task);
  await second.stop();
});
