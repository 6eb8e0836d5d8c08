import { z } from 'zod';
import { type ErrorCode, STATUS_OF } from '../errors.ts';
import { MAX_KEY_LENGTH } from './idempotency-key.ts';
import type { Route } from './route.ts';
import { ErrorSchema } from './schemas.ts';

type Json = Record<string, unknown>;

/** Codes that any route may answer with. */
const EVERYWHERE: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'rate_limited', 'shutting_down', 'internal'];
const WITH_INPUT: readonly ErrorCode[] = ['invalid_request'];
const WITH_KEY: readonly ErrorCode[] = ['invalid_request', 'conflict', 'idempotency_mismatch'];
const WITH_BODY: readonly ErrorCode[] = ['invalid_json', 'too_large', 'unsupported_media_type'];

/** How a caller shows who it is. */
const SECURITY_SCHEMES = {
  key: { type: 'http', scheme: 'bearer', description: 'An API key: profclaw_…' },
  session: { type: 'apiKey', in: 'cookie', name: 'profclaw_session', description: 'Set by logging in.' },
};

const KEY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Makes it safe to send the request again: the same key and body give the first answer, for a day.',
  schema: { type: 'string', minLength: 1, maxLength: MAX_KEY_LENGTH },
};

/** The OpenAPI 3.1 document of some routes, from the schemas that validate them. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const components: Json = {};
  const schema = (type: z.ZodType, io: 'input' | 'output'): Json => toJsonSchema(type, io, components);
  const paths: Record<string, Json> = {};
  schema(ErrorSchema, 'output');
  for (const route of routes) {
    const path = route.path.replace('+}', '}');
    paths[path] = { ...paths[path], [route.method]: operation(route, schema) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'profclaw',
      version,
      description: 'A self-hosted chat and agent server.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: components, securitySchemes: SECURITY_SCHEMES },
  };
}

function operation(route: Route, schema: (type: z.ZodType, io: 'input' | 'output') => Json): Json {
  const parameters = [
    ...parametersOf(route.params, 'path', schema),
    ...parametersOf(route.query, 'query', schema),
    ...(route.creates ? [KEY_PARAMETER] : []),
  ];
  const content: Json = { [route.contentType ?? 'application/json']: { schema: schema(route.response, 'output') } };
  if (route.event) content['text/event-stream'] = { schema: schema(route.event, 'output') };
  return {
    operationId: `${route.method}${route.path.replaceAll(/[^a-zA-Z0-9]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: isForStrangers(route) ? [] : [{ key: [] }, { session: [] }],
    'x-scope': route.scope,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: schema(route.body, 'input') } } } }
      : {}),
    responses: { [route.status ?? 200]: { description: 'Success', content }, ...errorResponses(route) },
  };
}

function isForStrangers({ scope }: Route): boolean {
  return scope === 'open' || scope === 'public';
}

function parametersOf(
  type: z.ZodType | undefined,
  where: 'path' | 'query',
  schema: (type: z.ZodType, io: 'input') => Json,
): Json[] {
  if (!type) return [];
  const { properties = {}, required = [] } = schema(type, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

function errorResponses(route: Route): Json {
  const codes = new Set<ErrorCode>([
    ...(route.scope === 'open' ? [] : EVERYWHERE),
    ...(route.params || route.query || route.body ? WITH_INPUT : []),
    ...(route.body ? WITH_BODY : []),
    ...(route.creates ? WITH_KEY : []),
    ...(route.errors ?? []),
  ]);
  const byStatus = Map.groupBy(codes, (code) => STATUS_OF[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

/** A schema whose named parts go to the components and are referred to there. */
function toJsonSchema(type: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const { $schema: _, $defs, ...json } = z.toJSONSchema(type, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
  const text = JSON.stringify({ json, $defs: $defs ?? {} }).replaceAll('"#/$defs/', '"#/components/schemas/');
  const moved = JSON.parse(text) as { json: Json; $defs: Json };
  Object.assign(components, moved.$defs);
  const id = type.meta()?.id;
  if (typeof id !== 'string' || moved.json.$ref !== undefined) return moved.json;
  components[id] = moved.json;
  return { $ref: `#/components/schemas/${id}` };
}
