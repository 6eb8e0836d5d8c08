import { z } from 'zod';
import { completionOf, startTurn } from '../agent/turn.ts';
import { Answer } from '../chat/answer.ts';
import { type Completion, startCompletion, toCompletion } from '../chat/complete.ts';
import { beginConversation } from '../conversations/create.ts';
import { toMessages } from '../http/messages.ts';
import { ModelName, text } from '../http/schemas.ts';
import { chatContext, conversationContext } from '../http/turn-input.ts';
import type { ProviderEvent } from '../providers/chat-model.ts';
import { listModels } from '../providers/models.ts';
import { bounded, MAX_RESULT } from './mcp-bounds.ts';
import { defineTool, type ToolCall } from './mcp-tool.ts';

/** Between two notes of progress, in milliseconds. */
const PROGRESS_MS = 250;

const Model = ModelName.optional().describe('An id, provider/model or an alias; absent: the default.');

const AnswerFields = {
  answer: z.string(),
  model: z.string(),
  provider: z.string(),
  finish_reason: z.string(),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  warnings: z.array(z.string()).optional(),
};

const ask = defineTool({
  name: 'ask',
  scope: 'chat',
  title: 'Ask a model',
  description: 'One prompt, one answer. Nothing of it is kept.',
  input: z.strictObject({
    prompt: text(10_000_000),
    model: Model,
    system_prompt: text(1_000_000).optional(),
  }),
  output: z.object(AnswerFields),
  annotations: { readOnlyHint: true, openWorldHint: true },
  text: ({ answer }) => String(answer),
  run: async ({ prompt, model, system_prompt: systemPrompt }, call) => {
    const messages = toMessages([{ role: 'user', content: prompt }]);
    const input = { messages, model, systemPrompt, stream: true };
    const started = await startCompletion(chatContext(call.request), input, call.signal);
    const answer = new Answer(started.ref);
    for await (const events of reported(started.events, call)) for (const event of events) answer.add(event);
    if (answer.error) throw answer.error;
    return answerFields(await toCompletion(started, answer));
  },
});

const sendMessage = defineTool({
  name: 'send_message',
  scope: 'chat',
  title: 'Send a message',
  description:
    'Sends a message into a conversation and gives the answer; both are kept, also when the caller leaves meanwhile. Without conversation_id a new conversation begins.',
  input: z.strictObject({
    conversation_id: text(200).optional().describe('Absent: a new conversation.'),
    content: text(10_000_000),
    model: Model,
  }),
  output: z.object({ conversation_id: z.string(), message_id: z.string(), ...AnswerFields }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: async ({ conversation_id: given, content, model }, call) => {
    const context = conversationContext(call.request);
    const id = given ?? (await beginConversation(context, { model })).id;
    const begin = { messages: [{ role: 'user' as const, content }], results: [] };
    const turn = await startTurn(context, id, { begin, model, stream: true }, call.signal);
    if ('relay' in turn) {
      const { relay } = turn;
      // The turn goes on without its reader, and what it fails with comes with its end.
      for await (const _ of reported(relay, call)) if (call.signal.aborted) break;
    }
    const result = 'relay' in turn ? await turn.finished : turn;
    return { conversation_id: id, message_id: result.answer.id, ...answerFields(completionOf(result)) };
  },
});

const listAllModels = defineTool({
  name: 'list_models',
  scope: 'any',
  title: 'List models',
  description: 'Models that can be asked, by their names, and the aliases. What is not known is null.',
  input: z.strictObject({
    q: text(200).optional().describe('Only models whose provider/id has this in it.'),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({
    models: z.array(
      z.object({
        name: z.string().describe('provider/id, as the other tools take it.'),
        context_window: z.int().nullable(),
        supports_tools: z.boolean().nullable(),
        supports_vision: z.boolean().nullable(),
      }),
    ),
    total: z.int().describe('All that match; more than are listed if the list is cut.'),
    aliases: z.record(z.string(), z.string()),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ q = '', limit }, { request }) => {
    const { providers } = request.services;
    const all = (await listModels(providers, undefined)).map((model) => ({
      name: `${model.provider}/${model.id}`,
      context_window: model.contextWindow,
      supports_tools: model.supportsTools,
      supports_vision: model.supportsVision,
    }));
    const found = all.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()));
    return { models: found.slice(0, limit), total: found.length, aliases: { ...providers.aliases } };
  },
});

/** Tools that ask models. */
export const mcpChatTools = [ask, sendMessage, listAllModels];

/** The same events, with the characters that have come told as progress. */
async function* reported(
  source: AsyncIterable<readonly ProviderEvent[]>,
  call: ToolCall,
): AsyncGenerator<readonly ProviderEvent[]> {
  let characters = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  for await (const events of source) {
    const before = characters;
    for (const event of events)
      if (event.type === 'text' || event.type === 'reasoning') characters += event.text.length;
    if (characters > before && performance.now() - toldAt >= PROGRESS_MS) {
      toldAt = performance.now();
      await call.progress(characters, `${characters} characters so far`);
    }
    yield events;
  }
}

function answerFields({ message, model, provider, finishReason, usage, warnings }: Completion): {
  [Field in keyof typeof AnswerFields]: z.output<(typeof AnswerFields)[Field]>;
} {
  return {
    answer: bounded(message.content, MAX_RESULT),
    model,
    provider,
    finish_reason: finishReason,
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    warnings,
  };
}
