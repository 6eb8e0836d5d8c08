import type { AgentContext } from '../agent/context.ts';
import type { ChatContext } from '../chat/complete.ts';
import type { GivenMessage, GivenTurn } from '../conversations/begin-turn.ts';
import type { ConversationContext } from '../conversations/context.ts';
import { textTokens } from '../conversations/estimate.ts';
import { type InputMessage, plainText, toAssistantContent } from './messages.ts';
import type { RouteRequest } from './route.ts';

/** What the verbs of single calls work with, for one request. */
export function chatContext({ services, owner, principal }: RouteRequest<unknown, unknown, unknown>): ChatContext {
  const { database, providers, budgets } = services;
  return { db: database.db, providers, owner, budget: budgets.of(owner, principal?.budgets ?? []) };
}

/** What the verbs of conversations work with, for one request. */
export function conversationContext(request: RouteRequest<unknown, unknown, unknown>): ConversationContext {
  const { turns, log, config } = request.services;
  return { ...chatContext(request), turns, log, titleModel: config.titleModel, newId: request.newId };
}

/** What the verbs of runs work with, for one request. */
export function agentContext(request: RouteRequest<unknown, unknown, unknown>): AgentContext {
  const { services, principal } = request;
  const context = conversationContext(request);
  return { ...context, runs: services.runs, actor: principal?.actor ?? '', budgets: principal?.budgets ?? [] };
}

/**
 * Sorts a request's messages into what a turn keeps: results of tools go to their calls, and system messages are of
 * this request alone.
 */
export function toGivenTurn(
  messages: readonly InputMessage[],
): Pick<GivenTurn, 'messages' | 'results'> & { system: string[] } {
  const given: GivenMessage[] = [];
  const results: GivenTurn['results'][number][] = [];
  const system: string[] = [];
  const calls = new Map<string, Extract<GivenMessage, { role: 'assistant' }>['calls'][number]>();
  for (const [index, message] of messages.entries()) {
    switch (message.role) {
      case 'system':
        system.push(plainText(message.content));
        break;
      case 'user':
        given.push({ role: 'user', content: message.content });
        break;
      case 'assistant': {
        const { toolCalls = [], ...body } = toAssistantContent(message);
        const own = toolCalls.map((call) => ({ call }));
        for (const one of own) calls.set(one.call.id, one);
        given.push({ role: 'assistant', body, calls: own });
        break;
      }
      case 'tool': {
        const result = plainText(message.content);
        const call = calls.get(message.toolCallId);
        if (call) call.result = result;
        else {
          results.push({
            callId: message.toolCallId,
            result: JSON.stringify(result),
            tokens: textTokens(result),
            path: `messages.${index}.toolCallId`,
          });
        }
      }
    }
  }
  return { messages: given, results, system };
}
