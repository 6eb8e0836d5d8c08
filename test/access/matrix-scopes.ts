/** Who may call a route, as the document says it. */
export type MatrixScope =
  | 'open'
  | 'public'
  | 'any'
  | 'person'
  | 'chat'
  | 'tools'
  | 'conversations:read'
  | 'providers:write'
  | 'admin';

const CONVERSATION = '/api/chat/conversations/{id}';
const PROVIDER = '/api/chat/providers/{type}';

/** What every route needs, written down a second time: a route that is not here, or not so, is a decision that nobody made. */
const ROUTES_OF: Record<MatrixScope, string[]> = {
  open: ['get /health', 'get /ready'],
  public: [
    'get /',
    'get /icon.svg',
    'get /assets/{name}',
    'post /api/auth/signup',
    'post /api/auth/login',
    'post /api/auth/logout',
    'get /api/auth/status',
    'post /api/auth/verify-access-key',
  ],
  any: [
    'get /docs',
    'get /api/openapi.json',
    'get /api/auth/me',
    'get /api/chat/presets',
    'get /api/chat/presets/{id}',
    'get /api/chat/models',
    'get /api/chat/providers',
    `get ${PROVIDER}/models`,
    'get /v1/models',
    'get /v1/models/{id}',
    'post /mcp',
    'get /mcp',
    'delete /mcp',
  ],
  person: [
    'patch /api/auth/me',
    'put /api/auth/access-key',
    'get /api/auth/sessions',
    'delete /api/auth/sessions',
    'delete /api/auth/sessions/{id}',
    'post /api/keys',
    'get /api/keys',
    'delete /api/keys/{id}',
  ],
  chat: [
    'post /api/chat/completions',
    'post /api/chat/quick',
    'post /api/chat/smart',
    'post /v1/chat/completions',
    'post /v1/responses',
    'post /v1/responses/{id}/cancel',
    'post /v1/conversations',
    'post /v1/conversations/{id}',
    'delete /v1/conversations/{id}',
    'delete /v1/responses/{id}',
    'post /v1/messages',
    'post /v1/messages/count_tokens',
    'post /api/chat/conversations',
    'post /api/chat/conversations/import',
    `patch ${CONVERSATION}`,
    `delete ${CONVERSATION}`,
    `post ${CONVERSATION}/messages`,
    `post ${CONVERSATION}/retry`,
    `delete ${CONVERSATION}/messages/{messageId}`,
    `post ${CONVERSATION}/compact`,
    `delete ${CONVERSATION}/compact`,
    `post ${CONVERSATION}/fork`,
    'post /api/chat/presets',
    'patch /api/chat/presets/{id}',
    'delete /api/chat/presets/{id}',
    ...['tasks', 'tickets'].flatMap((records) => [
      `get /api/${records}`,
      `post /api/${records}`,
      `get /api/${records}/{id}`,
      `patch /api/${records}/{id}`,
      `delete /api/${records}/{id}`,
    ]),
  ],
  tools: [
    'post /api/chat/ui',
    'get /api/chat/ui/{id}/stream',
    `post ${CONVERSATION}/messages/with-tools`,
    `post ${CONVERSATION}/messages/agentic`,
    'post /api/chat/runs/{id}/cancel',
    'post /api/chat/runs/{id}/messages',
    'post /api/chat/tools/approve',
    'post /api/chat/tools/rules',
    'delete /api/chat/tools/rules/{id}',
  ],
  'conversations:read': [
    'get /api/chat/conversations',
    `get ${CONVERSATION}`,
    `get ${CONVERSATION}/memory`,
    `get ${CONVERSATION}/export`,
    'get /api/chat/runs',
    'get /api/chat/runs/{id}',
    'get /api/chat/runs/{id}/events',
    'get /v1/responses/{id}',
    'get /v1/responses/{id}/input_items',
    'get /v1/conversations/{id}',
    'get /v1/conversations/{id}/items',
    'get /api/chat/approvals',
    'get /api/chat/tools',
    'get /api/chat/tools/rules',
    'get /api/chat/tools/results/{id}',
    'post /api/chat/tools/explain',
    'post /api/chat/tools/simulate',
  ],
  'providers:write': [
    'get /api/chat/mcp/servers',
    'post /api/chat/mcp/servers',
    'patch /api/chat/mcp/servers/{name}',
    'post /api/chat/mcp/servers/{name}/test',
    'delete /api/chat/mcp/servers/{name}',
    'post /api/chat/providers/default',
    `post ${PROVIDER}/configure`,
    `post ${PROVIDER}/health`,
    `delete ${PROVIDER}`,
  ],
  admin: [
    'get /api/users',
    'get /api/users/{id}',
    'patch /api/users/{id}',
    'delete /api/users/{id}',
    'post /api/invites',
    'get /api/invites',
    'delete /api/invites/{id}',
    'get /api/audit',
  ],
};

/** The scope of each route, by method and path. */
export const SCOPE_OF: ReadonlyMap<string, MatrixScope> = new Map(
  Object.entries(ROUTES_OF).flatMap(([scope, routes]) => routes.map((route) => [route, scope as MatrixScope] as const)),
);

/** A caller: which scopes let it in, and what it is told elsewhere. */
export interface CallerRow {
  may: readonly MatrixScope[];
  otherwise: 401 | 403;
  /** It is the owner's account, whose things the requests name. */
  owns?: true;
}

const words = (list: string): MatrixScope[] => list.trim().split(' ') as MatrixScope[];

/** Nobody is known, but nothing wrong was shown. */
const stranger: CallerRow = { may: words('open public'), otherwise: 401 };
/** A wrong `Authorization` is refused even where strangers may come in. */
const wrong: CallerRow = { may: words('open'), otherwise: 401 };

function key(scopes: string): CallerRow {
  return { may: words(`open public any ${scopes}`), otherwise: 403 };
}

function session(scopes: string): CallerRow {
  return { may: words(`open public any person ${scopes}`), otherwise: 403 };
}

function owners(row: CallerRow): CallerRow {
  return { ...row, owns: true };
}

const MEMBER = 'chat tools conversations:read';
const ALL = `${MEMBER} providers:write admin`;

/** Every kind of caller. Those who may do most come last, and find what the others were to leave alone. */
export const CALLERS = {
  'no credential': stranger,
  'a cookie that nobody was given': stranger,
  'a malformed cookie': stranger,
  'two cookies, one of them good': stranger,
  'an API key as cookie': stranger,
  'a session that has expired': stranger,
  'a session that was logged out': stranger,
  'a session of a disabled member': stranger,
  'a session of a deleted user': stranger,
  'a session of a user that is no more': stranger,
  'an empty Authorization': wrong,
  'Basic authentication': wrong,
  'Bearer and nothing': wrong,
  'another service’s key': wrong,
  'a key that nobody was given': wrong,
  'a session’s secret as key': wrong,
  'a good key with a character more': wrong,
  'two good keys in one header': wrong,
  'a wrong key beside the owner’s cookie': wrong,
  'a key that has expired': wrong,
  'a key that was revoked': wrong,
  'a key of a disabled member': wrong,
  'a key of a deleted user': wrong,
  'a key of a user that is no more': wrong,
  'a key without scopes': key(''),
  'a member’s key with chat': key('chat'),
  'a member’s key with tools': key('tools'),
  'a member’s key with conversations:read': key('conversations:read'),
  'a member’s key with all that a member may': key(MEMBER),
  'a key with all scopes of somebody who has become a member': key(MEMBER),
  'a member’s key beside the owner’s cookie': key('chat'),
  'a key from before there were accounts': key('chat'),
  'the owner’s key with chat': owners(key('chat')),
  'the owner’s key with tools': owners(key('tools')),
  'the owner’s key with conversations:read': owners(key('conversations:read')),
  'the owner’s key with providers:write': owners(key('providers:write')),
  'the owner’s key with admin': owners(key('admin person')),
  'a session of a member': session(MEMBER),
  'an admin’s key with all scopes': key(`${ALL} person`),
  'a session of an admin': session(ALL),
  'a session of the access key': session(ALL),
  'the owner’s key with all scopes': owners(key(`${ALL} person`)),
  'a session of the owner': owners(session(ALL)),
} satisfies Record<string, CallerRow>;

export type CallerName = keyof typeof CALLERS;
