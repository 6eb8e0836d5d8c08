import { isObject, type JsonObject } from '../../core/json.ts';
import type { Quirks } from '../profiles.ts';
import type { ChatRequest, Tool } from '../types.ts';

/**
 * A tool in the form that OpenAI, Cohere and Ollama share.
 * @param dropped gets the JSON Schema keywords that were left out because the vendor refuses them.
 */
export function lowerTool(tool: Tool, quirks: Quirks, dropped?: Set<string>): JsonObject {
  const parameters = quirks.refusedSchemaKeywords
    ? withoutKeywords(tool.parameters, new Set(quirks.refusedSchemaKeywords), dropped)
    : tool.parameters;
  const description = tool.description === undefined ? {} : { description: tool.description };
  return { type: 'function', function: { name: tool.name, ...description, parameters } };
}

/** Which tool, in OpenAI's form. */
export function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

/** Keywords whose value maps names to schemas: a name there may look like a keyword. */
const NAMED_SCHEMAS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

/** Keywords whose value is data. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples']);

/** A copy of a JSON Schema without some keywords. */
function withoutKeywords(schema: unknown, refused: ReadonlySet<string>, dropped: Set<string> | undefined): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withoutKeywords(item, refused, dropped));
  if (!isObject(schema)) return schema;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (refused.has(key)) dropped?.add(key);
    else if (NAMED_SCHEMAS.has(key) && isObject(value)) {
      const schemas = Object.entries(value).map(([name, sub]) => [name, withoutKeywords(sub, refused, dropped)]);
      out[key] = Object.fromEntries(schemas);
    } else out[key] = DATA.has(key) ? value : withoutKeywords(value, refused, dropped);
  }
  return out;
}
