import type { Json } from '../server.ts';
import { type Dialogue, dataUrl, jsonOr, type Part, type Said, splitThink, type Turn } from './session-dialogue.ts';

/** Reads a request of Chat Completions, of Cohere's chat or of Ollama's own: they share the form of their messages. */
export function readChat(body: Json): Dialogue {
  const open: { id: string; name: string }[] = [];
  let count = 0;
  const readAssistant = (message: Json): Turn => {
    const calls = (message.tool_calls ?? []).map((call: Json): Part => {
      const id = call.id ?? `call ${count++}`;
      open.push({ id, name: call.function.name });
      return { type: 'call', id, name: call.function.name, args: jsonOr(call.function.arguments) };
    });
    return { role: 'assistant', parts: [...reasoningOf(message), ...textsOf(message.content), ...calls] };
  };
  const readResult = (message: Json): Turn => {
    // Ollama's results name the tool alone, in the order of the calls.
    const place = open.findIndex(({ id, name }) =>
      message.tool_call_id === undefined ? name === message.tool_name : id === message.tool_call_id,
    );
    const [call] = open.splice(place, place === -1 ? 0 : 1);
    return { role: 'tool', id: call?.id ?? `no call for ${JSON.stringify(message)}`, text: plain(message.content) };
  };
  const turns = body.messages.map((message: Json): Turn => {
    if (message.role === 'assistant') return readAssistant(message);
    if (message.role === 'tool') return readResult(message);
    if (message.role === 'user') return { role: 'user', parts: saidOf(message.content) };
    return { role: 'system', text: plain(message.content) };
  });
  return {
    turns,
    tools: (body.tools ?? []).map(({ function: { name, description, parameters } }: Json) => ({
      name,
      description: description ?? '',
      parameters,
    })),
    toolChoice: readChoice(body.tool_choice),
    temperature: body.temperature ?? body.options?.temperature,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? body.options?.num_predict,
  };
}

function readChoice(choice: Json): string | undefined {
  const word = choice?.function?.name ?? choice?.toLowerCase();
  return word === 'auto' ? undefined : word;
}

function reasoningOf(message: Json): Part[] {
  const text = message.reasoning_content ?? message.reasoning ?? message.thinking ?? message.tool_plan ?? '';
  const details = message.reasoning_details;
  if (text === '' && details === undefined) return [];
  return [{ type: 'reasoning', text, opaque: details && JSON.stringify(details) }];
}

function textsOf(content: Json): Part[] {
  if (typeof content === 'string') return splitThink(content);
  return (content ?? []).flatMap((part: Json): Part[] => {
    if (part.type !== 'thinking') return [{ type: 'text', text: part.text }];
    const { thinking } = part;
    return [{ type: 'reasoning', text: typeof thinking === 'string' ? thinking : plain(thinking) }];
  });
}

function saidOf(content: Json): Said[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part: Json): Said => {
    if (part.type === 'image_url') return { type: 'image', url: dataUrl(part.image_url.url) };
    if (part.type === 'file') return { type: 'file', url: dataUrl(part.file.file_data), filename: part.file.filename };
    return { type: 'text', text: part.text };
  });
}

function plain(content: Json): string {
  return typeof content === 'string' ? content : content.map((part: Json) => part.text).join('\n\n');
}
