import type { Json } from '../server.ts';
import { type Dialogue, dataUrl, jsonOr, type Part, type Said, splitThink, type Turn } from './session-dialogue.ts';

/** Reads a request of OpenAI's Responses. Items of hosted tools have no place in our form and are left out. */
export function readResponses(body: Json): Dialogue {
  const items: Json[] = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  const turns: Turn[] = body.instructions ? [{ role: 'system', text: body.instructions }] : [];
  for (const turn of items.flatMap(readItem)) {
    const last = turns.at(-1);
    // The items of one answer stand one after the other.
    if (turn.role === 'assistant' && last?.role === 'assistant') last.parts.push(...turn.parts);
    else turns.push(turn);
  }
  const choice = body.tool_choice?.name ?? body.tool_choice;
  return {
    turns,
    tools: (body.tools ?? [])
      .filter((tool: Json) => tool.type === 'function')
      .map(({ name, description, parameters }: Json) => ({ name, description: description ?? '', parameters })),
    toolChoice: choice === 'auto' ? undefined : choice,
    temperature: body.temperature,
    maxTokens: body.max_output_tokens,
  };
}

function readItem(item: Json): Turn[] {
  switch (item.type ?? 'message') {
    case 'message':
      return [readMessage(item)];
    case 'reasoning':
      return [{ role: 'assistant', parts: readReasoning(item) }];
    case 'function_call':
      return [
        {
          role: 'assistant',
          parts: [{ type: 'call', id: item.call_id, name: item.name, args: jsonOr(item.arguments) }],
        },
      ];
    case 'function_call_output':
      return [{ role: 'tool', id: item.call_id, text: plain(item.output) }];
    default:
      return [];
  }
}

function readMessage({ role, content }: Json): Turn {
  if (role === 'assistant') return { role, parts: splitThink(plain(content, '')) };
  return role === 'user' ? { role, parts: saidOf(content) } : { role: 'system', text: plain(content) };
}

/** Without an encrypted copy it only names what the provider has stored, and we have nothing stored. */
function readReasoning({ summary = [], content, encrypted_content: opaque }: Json): Part[] {
  if (!opaque) return [];
  const shown: Json[] = summary.length > 0 ? summary : (content ?? []);
  return [{ type: 'reasoning', text: shown.map((part) => part.text).join(''), opaque }];
}

function saidOf(content: Json): Said[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part: Json): Said => {
    if (part.type === 'input_image') return { type: 'image', url: dataUrl(part.image_url) };
    if (part.type === 'input_file') {
      return { type: 'file', url: part.file_data ? dataUrl(part.file_data) : part.file_url, filename: part.filename };
    }
    return { type: 'text', text: part.text };
  });
}

function plain(content: Json, between = '\n\n'): string {
  return typeof content === 'string' ? content : content.map((part: Json) => part.text).join(between);
}
