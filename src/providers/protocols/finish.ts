import type { FinishReason } from '../chat-model.ts';

/**
 * Why an answer ended. The provider's word alone is not to be trusted: gathered calls make a turn with tool calls, and
 * nothing else does.
 * @param reason what the provider said, of which only three reasons matter; undefined: nothing.
 */
export function settle(reason: FinishReason | undefined, hasCalls: boolean): FinishReason {
  if (reason === 'length' || reason === 'content-filter' || reason === 'error') return reason;
  return hasCalls ? 'tool-calls' : 'stop';
}
