import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4ToolChoice,
  SharedV4FileData,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { AssistantPart, ChatRequest, FilePart, ImagePart, Media, Message, Provenance } from '../chat-model.ts';
import { mediaBehindResults } from '../protocols/result-media.ts';
import { lowerSampling, noParallelToolCalls, noStrictTools, type SamplingNames } from '../protocols/sampling.ts';
import type { SdkModel } from './package.ts';

type Version = SdkModel['specificationVersion'];
type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'];

const SAMPLING: SamplingNames = {
  topP: 'topP',
  topK: 'topK',
  stop: 'stopSequences',
  seed: 'seed',
  frequencyPenalty: 'frequencyPenalty',
  presencePenalty: 'presencePenalty',
};

/**
 * A request as the AI SDK's language models take it. The versions of their interface differ, as far as it is used
 * here, only in how a file's bytes or address are wrapped; so the newest one's types stand for all.
 * @param warnings gets a sentence for what they have no word for.
 */
export function callOptions(request: ChatRequest, version: Version, warnings: string[]): LanguageModelV4CallOptions {
  const { tools, toolChoice, temperature, maxTokens } = request;
  noParallelToolCalls(request, warnings);
  noStrictTools(request, warnings);
  return {
    prompt: promptOf(mediaBehindResults(request.messages), version),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...lowerSampling(request, SAMPLING, warnings),
    ...(request.responseFormat ? { responseFormat: toFormat(request.responseFormat) } : {}),
    ...(tools.length === 0 ? {} : { tools: tools.map(toTool) }),
    ...(tools.length === 0 || toolChoice === undefined ? {} : { toolChoice: toToolChoice(toolChoice) }),
  };
}

function toFormat(
  format: NonNullable<ChatRequest['responseFormat']>,
): NonNullable<LanguageModelV4CallOptions['responseFormat']> {
  if (format.type === 'json') return { type: 'json' };
  const { type: _, strict: __, schema, ...rest } = format;
  return { type: 'json', schema, ...rest };
}

function promptOf(messages: Message[], version: Version): LanguageModelV4Message[] {
  const prompt: LanguageModelV4Message[] = [];
  for (const message of messages) {
    const next = toMessage(message, version);
    const last = prompt.at(-1);
    // The results of one turn go together.
    if (next.role === 'tool' && last?.role === 'tool') last.content.push(...next.content);
    else prompt.push(next);
  }
  return prompt;
}

function toMessage(message: Message, version: Version): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.text };
    case 'user':
      return {
        role: 'user',
        content: message.parts.map((part) =>
          part.type === 'text' ? { type: 'text', text: part.text } : toFile(part, version),
        ),
      };
    case 'assistant':
      return { role: 'assistant', content: message.parts.map(toAssistantPart) };
    case 'tool': {
      const { toolCallId, toolName, text } = message;
      const output = { type: 'text', value: text } as const;
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] };
    }
  }
}

function toAssistantPart(part: AssistantPart): AssistantContent[number] {
  if (part.type !== 'tool-call') return { type: part.type, text: part.text, ...optionsOf(part) };
  const { id: toolCallId, name: toolName, arguments: input } = part.call;
  return { type: 'tool-call', toolCallId, toolName, input, ...optionsOf(part.call) };
}

/** What a package gave as metadata goes back to it as options: that is how the AI SDK itself does it. */
function optionsOf({ data }: Provenance): { providerOptions?: SharedV4ProviderOptions } {
  return data ? { providerOptions: data as SharedV4ProviderOptions } : {};
}

function toFile(part: ImagePart | FilePart, version: Version): LanguageModelV4FilePart {
  const { media } = part;
  const filename = part.type === 'file' && part.filename !== undefined ? { filename: part.filename } : {};
  return { type: 'file', mediaType: mediaTypeOf(part), data: fileData(media, version), ...filename };
}

/** What lies behind an address is not known before it is fetched, which is the provider's affair. */
function mediaTypeOf({ type, media }: ImagePart | FilePart): string {
  if ('mediaType' in media) return media.mediaType;
  return type === 'image' ? 'image/*' : 'application/pdf';
}

function fileData(media: Media, version: Version): SharedV4FileData {
  const bare = 'url' in media ? new URL(media.url) : media.data;
  // Up to version 3 there was no wrapping.
  if (version !== 'v4') return bare as unknown as SharedV4FileData;
  return bare instanceof URL ? { type: 'url', url: bare } : { type: 'data', data: bare };
}

function toTool({ name, description, parameters }: ChatRequest['tools'][number]): LanguageModelV4FunctionTool {
  const inputSchema = parameters as LanguageModelV4FunctionTool['inputSchema'];
  return { type: 'function', name, inputSchema, ...(description === undefined ? {} : { description }) };
}

function toToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): LanguageModelV4ToolChoice {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.name };
}
