import { asArray, asString, isObject, type JsonObject } from '../../core/json.ts';
import { BoundedText } from '../sandbox/bounded-text.ts';
import { cleanText } from './untrusted-text.ts';

/** Of one result. */
const MAX_CHARS = 2_000_000;
const MAX_PARTS = 1000;

/** What a model reads of a server's result: its texts; of pictures, sounds and files only what they are. */
export function resultText(result: JsonObject): string {
  const parts = asArray(result.content);
  const text = new BoundedText(MAX_CHARS);
  const lines = parts.slice(0, MAX_PARTS).map(partText);
  if (parts.length > MAX_PARTS) lines.push(`[${parts.length - MAX_PARTS} more parts left out]`);
  const hasText = parts.some((part) => isObject(part) && part.type === 'text' && asString(part.text) !== '');
  if (!hasText && result.structuredContent !== undefined) lines.push(JSON.stringify(result.structuredContent));
  for (const [index, line] of lines.entries()) text.add(index === 0 ? line : `\n${line}`);
  return text.toString() === '' ? '(no output)' : text.toString();
}

function partText(part: unknown): string {
  if (!isObject(part)) return '[a part that cannot be read]';
  switch (part.type) {
    case 'text':
      return asString(part.text);
    case 'image':
    case 'audio':
      return `[${part.type}, ${mimeType(part)}, ${bytesOf(asString(part.data))} bytes: not shown]`;
    case 'resource_link':
      return `[link to a resource: ${named(part)}${quoted(part.uri)}]`;
    case 'resource':
      return resourceText(isObject(part.resource) ? part.resource : {});
    default:
      return `[a part of the type ${quoted(part.type)}: not shown]`;
  }
}

function resourceText(resource: JsonObject): string {
  if (typeof resource.text === 'string') return `[resource ${quoted(resource.uri)}]\n${resource.text}`;
  const size = bytesOf(asString(resource.blob));
  return `[resource ${quoted(resource.uri)}, ${mimeType(resource)}, ${size} bytes: not shown]`;
}

function named({ name }: JsonObject): string {
  return typeof name === 'string' ? `${quoted(name)}, ` : '';
}

function mimeType({ mimeType }: JsonObject): string {
  return typeof mimeType === 'string' ? cleanText(mimeType, 100) : 'of an unknown type';
}

function quoted(value: unknown): string {
  return JSON.stringify(cleanText(asString(value), 500));
}

/** Of what base64 stands for. */
function bytesOf(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
