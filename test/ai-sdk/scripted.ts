import { Answer } from '../../src/chat/answer.ts';
import { aiSdkModel } from '../../src/providers/ai-sdk/model.ts';
import type { SdkModel } from '../../src/providers/ai-sdk/package.ts';
import type { ChatRequest, Message, ProviderEvent } from '../../src/providers/chat-model.ts';
import type { Json } from '../server.ts';

/** What the scripted models’ answers come from. */
export const ORIGIN = { provider: 'custom:acme', model: 'm' };
/** What must not be seen in errors. */
export const SECRET = 'the-secret-of-acme';
/** A provider whose package is never loaded. */
export const PROFILE = {
  name: 'Acme',
  package: 'acme-ai',
  factory: undefined,
  baseUrl: undefined,
  modelsPath: undefined,
  defaultModel: undefined,
};

/** What a model was asked, and what it is to give. */
export interface Script {
  asked: Json[];
  whole?: object;
  parts?: unknown[];
  fail?: unknown;
}

/** A model of some version of the AI SDK’s interface that does what it is told. */
export function scripted(specificationVersion: string, script: Script): SdkModel {
  const start = (options: unknown): void => {
    script.asked.push(options);
    if (script.fail !== undefined) throw script.fail;
  };
  return {
    specificationVersion,
    provider: 'acme.chat',
    modelId: 'm',
    supportedUrls: {},
    doGenerate: (options: unknown) => {
      start(options);
      return Promise.resolve(script.whole);
    },
    doStream: (options: unknown) => {
      start(options);
      return Promise.resolve({ stream: ReadableStream.from(script.parts ?? []) });
    },
  } as unknown as SdkModel;
}

/** A request of some messages. */
export function request(messages: Message[], more: Partial<ChatRequest> = {}): ChatRequest {
  const rest = { tools: [], toolChoice: undefined, temperature: undefined, maxTokens: undefined, stream: false };
  return { model: 'm', messages, ...rest, ...more };
}

/** A single user message. */
export const HI: Message[] = [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }];
/** Limits of a second. */
export const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000 };

/** Asks the provider’s model and reads the answer to its end. */
export async function ask(provider: unknown, asked: ChatRequest, signal = new AbortController().signal) {
  const source = { name: 'Acme', secrets: [SECRET] };
  const model = aiSdkModel('custom:acme', PROFILE, () => Promise.resolve(provider), source, TIMEOUTS);
  const { warnings, events } = await model.chat(asked, signal);
  const batches: ProviderEvent[][] = [];
  for await (const batch of events) batches.push(batch);
  const answer = new Answer(ORIGIN);
  for (const event of batches.flat()) answer.add(event);
  return { warnings, batches, events: batches.flat(), answer };
}
