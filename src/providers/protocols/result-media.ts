import type { Message } from '../chat-model.ts';

/**
 * Puts the pictures and documents of tools' results into a user's message behind them, saying of which call they are, for
 * wires whose results are text.
 */
export function mediaBehindResults(messages: readonly Message[]): Message[] {
  const out: Message[] = [];
  let held: Extract<Message, { role: 'user' }>['parts'] = [];
  const release = (): void => {
    if (held.length > 0) out.push({ role: 'user', parts: held });
    held = [];
  };
  for (const message of messages) {
    if (message.role !== 'tool') release();
    else if (message.media) {
      const text = `What ${message.toolName || 'the tool'} gave with its result ${JSON.stringify(message.toolCallId)}:`;
      held = [...held, { type: 'text', text }, ...message.media];
    }
    out.push(message);
  }
  release();
  return out;
}
