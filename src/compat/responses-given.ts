import { messageParts } from '../chat/assistant-parts.ts';
import { fromUserParts } from '../chat/content.ts';
import type { Given, GivenMessage } from '../conversations/begin-turn.ts';
import { textTokens } from '../conversations/estimate.ts';
import { InvalidRequestError } from '../errors.ts';
import type { AssistantPart, Message } from '../providers/chat-model.ts';

/** What a request brings, in the form in which a conversation keeps it. */
export interface GivenInput extends Given {
  /** Prompts, which are of the request alone. */
  system: string[];
}

/** Sorts messages into what a turn keeps: results go to their calls, if those are among the messages too. */
export function toGiven(messages: readonly Message[]): GivenInput {
  const given: GivenMessage[] = [];
  const results: Given['results'][number][] = [];
  const system: string[] = [];
  const calls = new Map<string, Extract<GivenMessage, { role: 'assistant' }>['calls'][number]>();
  for (const message of messages) {
    if (message.role === 'system') system.push(message.text);
    else if (message.role === 'user') given.push({ role: 'user', content: fromUserParts(message.parts) });
    else if (message.role === 'assistant') {
      const said = toAnswer(message.parts);
      for (const own of said.calls) calls.set(own.call.id, own);
      given.push(said);
    } else {
      const { toolCallId: callId, text, media } = message;
      if (media) throw unkept(callId);
      const call = calls.get(callId);
      if (call) call.result = text;
      else results.push({ callId, result: JSON.stringify(text), tokens: textTokens(text), path: 'input' });
    }
  }
  return { messages: given, results, system };
}

function toAnswer(parts: readonly AssistantPart[]): Extract<GivenMessage, { role: 'assistant' }> {
  const saidAs = (type: 'text' | 'reasoning'): string =>
    parts.flatMap((part) => (part.type === type ? [part.text] : [])).join('');
  const reasoning = saidAs('reasoning');
  const body = {
    content: saidAs('text'),
    ...(reasoning === '' ? {} : { reasoning }),
    parts: messageParts(parts),
  };
  return {
    role: 'assistant',
    body,
    calls: parts.flatMap((part) => (part.type === 'tool-call' ? [{ call: part.call }] : [])),
  };
}

function unkept(callId: string): InvalidRequestError {
  const message = `the output of ${JSON.stringify(callId)} has a picture or a file, which no conversation keeps: send store: false`;
  return new InvalidRequestError([{ path: 'input', message }]);
}
