import type { Json } from '../server.ts';

/** A route as the document describes it. */
export interface Operation {
  /** Such as `get /api/tasks/{id}`. */
  name: string;
  method: string;
  path: string;
  spec: Json;
}

/** Every route of an OpenAPI document. */
export function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, spec]) => ({
      name: `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      spec,
    })),
  );
}

/** The schema of a route's body, undefined if it takes none. */
export function bodySchema({ spec }: Operation): Json | undefined {
  return spec.requestBody?.content['application/json'].schema;
}

/** The path with its parameters filled in. */
export function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? `no-${name}`));
}

/** The names of a path's parameters. */
export function pathIds(path: string): string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
}

/** Fields that a schema does not say enough about. The demo model needs no key and no network. */
const KNOWN: Readonly<Record<string, Json>> = {
  model: 'demo',
  provider: 'demo',
  tool: 'read_file',
  messages: [{ role: 'user', content: 'Hello' }],
};

/** Whole bodies of routes whose schemas say still less. */
const BODIES: Readonly<Record<string, Json>> = {
  'post /api/chat/ui': {
    id: 'a-chat',
    model: 'demo',
    messages: [{ id: 'a-message', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  },
  'post /mcp': {
    ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'matrix', version: '1' } },
  },
  'post /v1/responses': { model: 'demo', input: 'Hello', store: false },
};

/** The smallest body that a schema takes; undefined if the route takes none. `fields` are put in place of what was found. */
export function sampleBody(document: Json, operation: Operation, fields: Json = {}): Json | undefined {
  const schema = bodySchema(operation);
  if (schema === undefined) return undefined;
  const whole = BODIES[operation.name];
  if (whole !== undefined) return { ...whole, ...fields };
  const known = Object.keys(schema.properties).filter((name) => name in KNOWN);
  return { ...sample(document, schema), ...Object.fromEntries(known.map((name) => [name, KNOWN[name]])), ...fields };
}

/** A value that fits a schema of the document. */
function sample(document: Json, schema: Json): Json {
  if (schema.$ref !== undefined) return sample(document, document.components.schemas[schema.$ref.split('/').at(-1)]);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first !== undefined) return sample(document, first);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name: string) => [name, sample(document, schema.properties[name])]),
      );
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(document, schema.items));
    case 'string':
      return schema.format === 'email' ? 'somebody@example.com' : 'x'.repeat(Math.max(1, schema.minLength ?? 1));
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    default:
      throw new Error(`no value for the schema ${JSON.stringify(schema)}`);
  }
}
