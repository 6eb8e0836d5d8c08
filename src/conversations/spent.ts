import { toNanoDollars } from '../core/money.ts';
import type { Usage } from '../providers/chat-model.ts';
import type { ConversationRow } from '../storage/conversations.ts';

type Totals = Pick<
  ConversationRow,
  'prompt_tokens' | 'completion_tokens' | 'total_tokens' | 'cost' | 'priced' | 'unpriced'
>;

/** A conversation's totals after another answer. */
export function spent(row: Totals, { cost, ...usage }: Usage & { cost: number | null }): Totals {
  return {
    prompt_tokens: row.prompt_tokens + usage.promptTokens,
    completion_tokens: row.completion_tokens + usage.completionTokens,
    total_tokens: row.total_tokens + usage.totalTokens,
    cost: row.cost + (cost === null ? 0 : toNanoDollars(cost)),
    priced: row.priced + (cost === null ? 0 : 1),
    unpriced: row.unpriced + (cost === null ? 1 : 0),
  };
}
