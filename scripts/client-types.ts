import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../src/http/openapi.ts';
import { routesWith } from '../src/http/routes/index.ts';

// The types of the native API for the typed client, from the document that the routes' schemas make.
// Run this after a change of a schema: node scripts/client-types.ts. A test says when it was forgotten.

const ROOT = join(import.meta.dirname, '..');
const FILE = 'src/client/api.ts';

/** What is met of JSON Schema in the document; anything else is refused. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
}

interface Operation {
  summary: string;
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content: Record<string, { schema: Schema }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/**
 * The text of `src/client/api.ts`: `paths` and `components` in the form that openapi-fetch and its kin take, of the
 * routes below `/api` and the probes; and which of them take an `Idempotency-Key`.
 * @throws if a schema has a part that is not known here.
 */
export function clientTypes(): string {
  const routes = routesWith([]).filter(({ path }) => /^\/(api\/|health$|ready$)/.test(path));
  const { paths, components } = openApiDocument(routes, '') as unknown as Document;
  const creating = routes.flatMap(({ creates, path }) => (creates ? [`'${path}'`] : []));
  const text = [
    '// biome-ignore-all lint/style/noExcessiveLinesPerFile: made by scripts/client-types.ts, not to be edited',
    '',
    '/** The `POST`s that take an `Idempotency-Key`. */',
    `export const CREATING: readonly string[] = [${creating.join(', ')}];`,
    '',
    '/** What is sent and answered, by path and method. */',
    `export interface paths {${fields(paths, (item) => `{${fields(item, operation)}}`)}}`,
    '',
    '/** The parts of it that have names. */',
    `export interface components { schemas: {${fields(components.schemas, typeOf)}} }`,
  ].join('\n');
  const biome = join(ROOT, 'node_modules/.bin/biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${FILE}`], { cwd: ROOT, input: text, encoding: 'utf8' });
}

function operation({ parameters = [], requestBody, responses }: Operation): string {
  const places = ['path', 'query', 'header'].map((place) => {
    const all = parameters.filter((parameter) => parameter.in === place);
    if (all.length === 0) return `${place}?: never`;
    const properties = Object.fromEntries(all.map(({ name, schema }) => [name, schema]));
    const required = all.filter((parameter) => parameter.required).map(({ name }) => name);
    return `${place}${required.length > 0 ? '' : '?'}: ${objectOf({ properties, required })}`;
  });
  const [[status, success] = []] = Object.entries(responses).filter(([code]) => code.startsWith('2'));
  if (!success) throw new Error('a route without a success');
  return `{
    parameters: {${places.join(';')}};
    ${requestBody ? `requestBody: {${contentOf(requestBody)}};` : ''}
    responses: { ${status}: {${contentOf(success)}}; default: { content: { 'application/json': components['schemas']['Error'] } } };
  }`;
}

function contentOf({ content }: { content: Record<string, { schema: Schema }> }): string {
  return `content: {${fields(content, ({ schema }) => typeOf(schema))}}`;
}

function fields<T>(values: Record<string, T>, toType: (value: T) => string): string {
  return Object.entries(values)
    .map(([name, value]) => `${commentOf(value)}${JSON.stringify(name)}: ${toType(value)}`)
    .join(';\n');
}

/** The type of what a schema takes. */
function typeOf(schema: Schema): string {
  const { $ref, enum: values, anyOf, oneOf, allOf, type } = schema;
  if ($ref !== undefined) return `components['schemas'][${JSON.stringify($ref.replace('#/components/schemas/', ''))}]`;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (allOf) return allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  const choices = anyOf ?? oneOf;
  if (choices) return [...new Set(choices.map((part) => `(${typeOf(part)})`))].join(' | ');
  if (Array.isArray(type)) return type.map((one) => `(${typeOf({ ...schema, type: one })})`).join(' | ');
  switch (type) {
    case undefined:
      return 'unknown';
    case 'integer':
      return 'number';
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectOf(schema);
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const known = Object.entries(properties).map(([name, property]) => {
    const field = `${commentOf(property)}${JSON.stringify(name)}`;
    const type = typeOf(property);
    if (required.includes(name)) return `${field}: ${type}`;
    return `${field}?: ${type}${type === 'unknown' ? '' : ' | undefined'}`;
  });
  const open = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  if (known.length === 0) return additionalProperties === false ? 'Record<string, never>' : `Record<string, ${open}>`;
  const object = `{${known.join(';\n')}}`;
  return additionalProperties ? `(${object} & Record<string, ${open}>)` : object;
}

function commentOf(value: unknown): string {
  const { description, summary } = Object(value) as { description?: string; summary?: string };
  const text = summary ?? description;
  return text === undefined ? '' : `\n/** ${text.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n`;
}

if (import.meta.main) writeFileSync(join(ROOT, FILE), clientTypes());
