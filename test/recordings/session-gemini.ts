import type { Json } from '../server.ts';
import { type Dialogue, dataUrl, type Part, type Said, type Turn } from './session-dialogue.ts';

/** Reads a request of Google's generateContent; recorded bodies spell some fields with underscores. */
export function readGemini(body: Json): Dialogue {
  const system = (body.systemInstruction?.parts ?? []).map((part: Json) => part.text).join('\n\n');
  const { mode, allowedFunctionNames } = body.toolConfig?.functionCallingConfig ?? {};
  const declared = (body.tools ?? []).flatMap((tool: Json) => tool.functionDeclarations ?? []);
  return {
    turns: [
      ...(system === '' ? [] : [{ role: 'system', text: system } as const]),
      ...body.contents.flatMap(readContent),
    ],
    tools: declared.map((tool: Json) => ({
      name: tool.name,
      description: tool.description ?? '',
      parameters: tool.parametersJsonSchema ?? tool.parameters_json_schema ?? tool.parameters,
    })),
    toolChoice: allowedFunctionNames?.[0] ?? { ANY: 'required', NONE: 'none' }[mode as string],
    temperature: body.generationConfig?.temperature,
    maxTokens: body.generationConfig?.maxOutputTokens,
  };
}

function readContent({ role, parts }: Json): Turn[] {
  if (role === 'model') return [{ role: 'assistant', parts: parts.map(readPart) }];
  const turns: Turn[] = [];
  for (const part of parts) {
    const last = turns.at(-1);
    const result = part.functionResponse;
    if (result) turns.push({ role: 'tool', id: result.id, text: JSON.stringify(result.response) });
    else if (last?.role === 'user') last.parts.push(readSaid(part));
    else turns.push({ role: 'user', parts: [readSaid(part)] });
  }
  return turns;
}

function readPart({ text, thought, functionCall, thoughtSignature: opaque }: Json): Part {
  if (functionCall)
    return { type: 'call', id: functionCall.id, name: functionCall.name, args: functionCall.args, opaque };
  return { type: thought === true ? 'reasoning' : 'text', text, opaque };
}

function readSaid({ text, inlineData, fileData }: Json): Said {
  if (text !== undefined) return { type: 'text', text };
  if (fileData) return { type: 'file', url: fileData.fileUri };
  const { mimeType, data } = inlineData;
  return { type: mimeType.startsWith('image/') ? 'image' : 'file', url: dataUrl(`data:${mimeType};base64,${data}`) };
}
