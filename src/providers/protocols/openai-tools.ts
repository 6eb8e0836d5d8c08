import { isObject, type JsonObject } from '../../core/json.ts';
import type { ChatRequest, ToolCall } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';

/** A tool's function in the form that OpenAI, Cohere and Ollama share. */
interface ToolFunction {
  name: string;
  description?: string;
  parameters: unknown;
}

/**
 * The functions of a request's tools, without the JSON Schema keywords that the vendor refuses.
 * @param warnings gets a sentence that names them.
 */
export function lowerFunctions({ model, tools }: ChatRequest, quirks: Quirks, warnings: string[]): ToolFunction[] {
  const refused = new Set(quirks.refusedSchemaKeywords);
  const dropped = new Set<string>();
  const functions = tools.map(({ name, description, parameters }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    parameters: refused.size === 0 ? parameters : withoutKeywords(parameters, refused, dropped),
  }));
  if (dropped.size > 0) {
    warnings.push(`tools: ${model} does not take ${[...dropped].join(', ')} in their parameters; left out`);
  }
  return functions;
}

/**
 * A request's tools as OpenAI's chat, Cohere and Ollama want them, `strict` where the vendor takes it; else as
 * {@link lowerFunctions}.
 */
export function lowerTools(request: ChatRequest, quirks: Quirks, warnings: string[]): JsonObject[] {
  const isStrict = new Set(request.tools.flatMap(({ name, strict }) => (strict && quirks.strictTools ? [name] : [])));
  return lowerFunctions(request, quirks, warnings).map((fn) => ({
    type: 'function',
    function: { ...fn, ...(isStrict.has(fn.name) ? { strict: true } : {}) },
  }));
}

/** An earlier call, as OpenAI's chat and Cohere want it back. */
export function lowerCall({ id, name, arguments: args }: ToolCall): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
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
function withoutKeywords(schema: unknown, refused: ReadonlySet<string>, dropped: Set<string>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withoutKeywords(item, refused, dropped));
  if (!isObject(schema)) return schema;
  const without = (value: unknown): unknown => withoutKeywords(value, refused, dropped);
  const kept = Object.entries(schema).flatMap(([key, value]) => {
    if (refused.has(key)) {
      dropped.add(key);
      return [];
    }
    if (!NAMED_SCHEMAS.has(key) || !isObject(value)) return [[key, DATA.has(key) ? value : without(value)]];
    return [[key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, without(inner)]))]];
  });
  return Object.fromEntries(kept);
}
