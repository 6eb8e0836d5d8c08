import type { Profile, WireName } from '../profiles.ts';
import { anthropicMessages } from '../protocols/anthropic-messages.ts';
import { cohereChat } from '../protocols/cohere-chat.ts';
import { gemini } from '../protocols/gemini.ts';
import { ollamaChat } from '../protocols/ollama-chat.ts';
import { openaiChat } from '../protocols/openai-chat.ts';
import { readingBothForms } from '../protocols/openai-forms.ts';
import { openaiResponses } from '../protocols/openai-responses.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Endpoint } from '../settings/endpoint.ts';

/** Every wire by its name. */
export const PROTOCOLS: Readonly<Record<WireName, Protocol>> = {
  'openai-chat': readingBothForms(openaiChat),
  'openai-responses': readingBothForms(openaiResponses),
  'anthropic-messages': anthropicMessages,
  gemini,
  'ollama-chat': ollamaChat,
  'cohere-chat': cohereChat,
};

/** The wire that a model takes. An address that names the deployment knows no other than the row's. */
export function protocolOf({ wire, otherWire }: Profile, { namesDeployment }: Endpoint, model: string): Protocol {
  return PROTOCOLS[otherWire?.models.test(model) && !namesDeployment ? otherWire.wire : wire];
}
