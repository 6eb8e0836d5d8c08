import type { Json } from '../server.ts';
import { ACCESS_KEY, invitePeople, type People } from './matrix-callers.ts';
import { bodySchema, type Operation, operationsOf, pathIds } from './matrix-requests.ts';
import { type Answer, type Credential, type OpenServer, startOpenServer } from './matrix-server.ts';
import { allRows, type Rows } from './matrix-statements.ts';
import { type Ids, Things } from './matrix-things.ts';

export const CONVERSATIONS = '/api/chat/conversations';

/** In every text that is hers, and in none of anybody else's. */
export const HERS = 'zebrafinch';

/** Everybody who is not her. */
export const OTHERS = [
  'another member',
  'another member’s key',
  'an admin',
  'an admin’s key',
  'the owner',
  'the access key',
] as const;

type Other = (typeof OTHERS)[number];

/** Where the server's own state is shown, which is the same for everybody. */
const SERVERS_OWN = [
  ...['/health', '/ready', '/docs', '/api/openapi.json', '/api/chat/models', '/api/chat/providers'],
  ...['/', '/icon.svg', '/v1/models'],
  // There is only POST.
  '/mcp',
];

/** What admins manage for everybody: accounts, invites, servers of tools; the log of everybody's deeds; files of the page, and models. */
const MANAGED = ['/api/users', '/api/invites', '/api/audit', '/api/chat/mcp/servers', '/assets', '/v1/models'];

/** A server, a member whose things nobody else may get at, and the others. */
export interface Stage {
  server: OpenServer;
  document: Json;
  operations: Operation[];
  people: People;
  her: { credential: Credential; owner: string; things: Things };
  others: Record<Other, Credential>;
  /** A conversation of their own. */
  own: Record<Other, Ids>;
  /** Something of hers for every route whose path names something, by the route's name. */
  hers: Map<string, Ids>;
  /** What the others saw before she had anything. */
  seen: Record<Other, Json>;
  /** All rows before the others try anything. */
  rows: Rows;
}

/** Has everybody sign up and make something. */
export async function prepareStage(
  databaseUrl: string | undefined,
): Promise<{ value: Stage; stop: () => Promise<void> }> {
  const server = await startOpenServer({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, databaseUrl);
  const people = await invitePeople(server);
  const { owner, admin, member } = people;
  const member3 = ['chat', 'tools', 'conversations:read'];
  const others = {
    'another member': await member.session(),
    'another member’s key': (await member.key(member3)).credential,
    'an admin': await admin.session(),
    'an admin’s key': (await admin.key([...member3, 'providers:write', 'admin'])).credential,
    'the owner': await owner.session(),
    'the access key': await people.keyHolder(),
  };
  const { body: document } = await server.ask('GET', '/api/openapi.json', others['the owner']);
  const operations = operationsOf(document);
  const forAll = async <T>(make: (credential: Credential) => Promise<T>) =>
    Object.fromEntries(
      await Promise.all(OTHERS.map(async (other) => [other, await make(others[other])] as const)),
    ) as Record<Other, T>;
  const own = await forAll((credential) => new Things(server, credential, 'Somebody else’s').conversation());
  const { id, session } = await people.signUp('member', 'she@example.com');
  const seen = await forAll((credential) => listsOf({ server, operations }, credential));
  const credential = await session();
  const her = { credential, owner: id, things: new Things(server, credential, HERS) };
  const hers = await makeHers(operations, her.things);
  const rows = await allRows(server.db);
  const value = { server, document, operations, people, her, others, own, hers, seen, rows };
  return { value, stop: server.stop };
}

/** Does the path name something that belongs to somebody? */
export function namesOwned({ path }: Operation): boolean {
  return pathIds(path).length > 0 && !path.includes('{type}') && !MANAGED.some((start) => path.startsWith(start));
}

async function makeHers(operations: readonly Operation[], things: Things): Promise<Map<string, Ids>> {
  const hers = new Map<string, Ids>();
  for (const operation of operations) {
    if (!namesOwned(operation)) continue;
    const ids = await things.make(operation.path);
    if (operation.path.startsWith(CONVERSATIONS)) {
      await things.post(`${CONVERSATIONS}/${ids.id}/messages`, { content: `${HERS} asks`, model: 'demo' });
    }
    hers.set(operation.name, ids);
  }
  return hers;
}

/** Everything that is listed for somebody, but what is the server's own or for admins. */
export async function listsOf(
  { server, operations }: Pick<Stage, 'server' | 'operations'>,
  credential: Credential,
): Promise<Json> {
  const lists: Record<string, Json> = {};
  for (const { name, method, path } of operations) {
    if (method !== 'GET' || path.includes('{') || [...SERVERS_OWN, ...MANAGED].includes(path)) continue;
    const { status, body } = await server.ask(method, path, credential);
    lists[name] = withoutTimesOfUse({ status, body: status === 200 ? body : body.code });
  }
  return lists;
}

function withoutTimesOfUse(value: Json): Json {
  const text = JSON.stringify(value, (name, field) => (/^(lastUsedAt|lastSeenAt)$/.test(name) ? undefined : field));
  return JSON.parse(text);
}

/** An id of the same form that nobody has. */
export function missing(id: string): string {
  return /^PC-\d+$/.test(id) ? 'PC-99999' : `${id.slice(0, -6)}zzzzzz`;
}

/** An answer as text, without what differs from one to the next, and without these ids. */
export function faceless({ status, body, headers }: Answer, ids: Iterable<string>): string {
  let text = JSON.stringify(body, (name, value) => (name === 'requestId' ? undefined : value));
  for (const id of ids) text = text.replaceAll(id, 'ID');
  text = text
    .replaceAll(/\b(conv|msg|resp|call|run|approval|rule)_\w{24}/g, '$1')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
  text = text.replaceAll(/"duration":\d+/g, '"duration":0');
  const names = [...headers.keys()].filter((name) => name !== 'content-length').toSorted();
  return `${status} ${text} ${names.join()}`;
}

/** A place of a request that names something: a field of the query or of the body. */
export interface Link {
  operation: Operation;
  place: 'query' | 'body';
  /** Such as `taskId`, or `conversation.taskId`. */
  field: string;
}

const LINK = /^(task|ticket|preset|conversation|message|approval)Id$/;

/** Every such place of the document. */
export function linksOf(operations: readonly Operation[]): Link[] {
  return operations.flatMap((operation) => {
    const link = (place: Link['place'], field: string): Link[] =>
      LINK.test(field.split('.').at(-1) ?? '') ? [{ operation, place, field }] : [];
    const query = (operation.spec.parameters ?? []).filter((parameter: Json) => parameter.in === 'query');
    // There an app names its own messages, whoever else has one of that name.
    const isNamedByApp = operation.path === '/api/chat/ui';
    const fields = isNamedByApp ? [] : Object.entries<Json>(bodySchema(operation)?.properties ?? {});
    return [
      ...query.flatMap(({ name }: Json) => link('query', name)),
      ...fields.flatMap(([name, schema]) => [
        ...link('body', name),
        ...Object.keys(schema.properties ?? {}).flatMap((inner) => link('body', `${name}.${inner}`)),
      ]),
    ];
  });
}

/** The id of hers that a link can name. */
export function linked({ hers }: Stage, { field, operation }: Link): string {
  const [, kind = ''] = LINK.exec(field.split('.').at(-1) ?? '') ?? [];
  const run = hers.get('get /api/chat/runs/{id}');
  const isOfRuns = /^\/api\/chat\/(runs|approvals|tools)/.test(operation.path);
  const places: Record<string, string | undefined> = {
    task: hers.get('get /api/tasks/{id}')?.id,
    ticket: hers.get('get /api/tickets/{id}')?.id,
    preset: hers.get('get /api/chat/presets/{id}')?.id,
    conversation: isOfRuns ? run?.conversationId : hers.get(`get ${CONVERSATIONS}/{id}`)?.id,
    approval: run?.approvalId,
    message: hers.get(`delete ${CONVERSATIONS}/{id}/messages/{messageId}`)?.messageId,
  };
  return places[kind] ?? '';
}
