import type { Json } from '../server.ts';
import { type Dialogue, dataUrl, type Part, type Said, type Turn } from './session-dialogue.ts';

/** Reads a request of Anthropic's Messages. */
export function readMessages(body: Json): Dialogue {
  const system: Turn[] = body.system === undefined ? [] : [{ role: 'system', text: plain(body.system) }];
  const choice = body.tool_choice?.type;
  return {
    turns: [...system, ...body.messages.flatMap(readMessage)],
    tools: (body.tools ?? []).map(({ name, description, input_schema: parameters }: Json) => ({
      name,
      description: description ?? '',
      parameters,
    })),
    toolChoice: choice === 'any' ? 'required' : choice === 'auto' ? undefined : (body.tool_choice?.name ?? choice),
    temperature: body.temperature,
    maxTokens: body.max_tokens,
  };
}

function readMessage({ role, content }: Json): Turn[] {
  const blocks: Json[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (role === 'assistant') return [{ role, parts: blocks.map(readPart) }];
  const turns: Turn[] = [];
  for (const block of blocks) {
    const last = turns.at(-1);
    if (block.type === 'tool_result') {
      turns.push({ role: 'tool', id: block.tool_use_id, text: plain(block.content ?? '') });
    } else if (last?.role === 'user') last.parts.push(readSaid(block));
    else turns.push({ role: 'user', parts: [readSaid(block)] });
  }
  return turns;
}

function readPart(block: Json): Part {
  if (block.type === 'text') return { type: 'text', text: block.text };
  if (block.type === 'thinking') return { type: 'reasoning', text: block.thinking, opaque: block.signature };
  if (block.type === 'redacted_thinking') return { type: 'reasoning', text: '', opaque: block.data };
  return { type: 'call', id: block.id, name: block.name, args: block.input };
}

function readSaid(block: Json): Said {
  if (block.type === 'text') return { type: 'text', text: block.text };
  const { url, media_type: type, data } = block.source;
  return { type: block.type === 'image' ? 'image' : 'file', url: url ?? dataUrl(`data:${type};base64,${data}`) };
}

/** What is no text, such as a reference to another tool, has no place in our form. */
function plain(content: Json): string {
  return typeof content === 'string' ? content : content.map((block: Json) => block.text ?? '').join('\n\n');
}
