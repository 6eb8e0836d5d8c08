import { isObject, type JsonObject } from '../../core/json.ts';
import { cleanText } from './untrusted-text.ts';

/** A schema is sent with every request to the model. */
const MAX_CHARS = 20_000;
const MAX_LEVELS = 20;
const MAX_NODES = 3000;

/**
 * A server's schema of arguments as models get it: of type object, bounded, its texts cleaned. Nothing is resolved or
 * compiled, so no schema takes longer than its length.
 * @returns it, or why the tool cannot be offered.
 */
export function readInputSchema(given: unknown): { schema: JsonObject } | { problem: string } {
  if (given === undefined || given === null) return { schema: { type: 'object', properties: {} } };
  if (!isObject(given)) return { problem: 'its schema is not an object' };
  let nodes = 0;
  let problem: string | undefined;
  const copy = (value: unknown, levels: number): unknown => {
    nodes++;
    if (nodes > MAX_NODES) problem ??= `its schema has over ${MAX_NODES} parts`;
    if (levels > MAX_LEVELS) problem ??= `its schema is nested over ${MAX_LEVELS} levels deep`;
    if (problem !== undefined) return undefined;
    if (typeof value === 'string') return cleanText(value, MAX_CHARS);
    if (Array.isArray(value)) return value.map((item) => copy(item, levels + 1));
    if (!isObject(value)) return value;
    if (typeof value.$ref === 'string' && !value.$ref.startsWith('#'))
      problem ??= 'its schema refers to another document';
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key.toWellFormed(), copy(inner, levels + 1)]),
    );
  };
  const { $schema: _, ...rest } = given;
  const schema: JsonObject = { ...rest, type: given.type ?? 'object' };
  if (schema.type !== 'object') return { problem: 'its schema is not of type object' };
  const clean = copy(schema, 0);
  if (problem !== undefined) return { problem };
  if (JSON.stringify(clean).length > MAX_CHARS) return { problem: `its schema has over ${MAX_CHARS} characters` };
  return { schema: isObject(clean) ? clean : {} };
}
