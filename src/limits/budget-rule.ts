import { toDollars } from '../core/money.ts';
import { AppError } from '../errors.ts';
import type { BudgetPeriod } from '../storage/access-schema.ts';
import { periodAt } from '../storage/budget-period.ts';
import type { BudgetRow } from '../storage/budgets.ts';

/** What a call will take at most. */
export interface Estimate {
  /** Named to whoever is refused. */
  model: string;
  tokens: number;
  /** In billionths of a US dollar; null if the model's price is not known. */
  cost: number | null;
}

/** How soon to try again what calls under way leave no room for, in seconds. */
const SOON = 5;

/** A budget in USD, and a model of which nobody knows what it costs. Another model may be asked. */
export class UnpricedError extends AppError {}

/**
 * Which budget has no room for a call as long as others are under way; undefined: it may begin. One that is alone may
 * take more than is left, so that no budget ends before it is used; of several together the bounds hold.
 * @throws AppError `budget_exceeded` if a budget is used up, UnpricedError.
 */
export function findFull(rows: readonly BudgetRow[], estimate: Estimate): BudgetRow | undefined {
  for (const row of rows) {
    if (row.cost !== null && estimate.cost === null) throw unpriced(row, estimate);
    if (isUsedUp(row, estimate)) throw usedUp(row);
  }
  return rows.find((row) => row.holds > 0 && !hasRoom(row, estimate));
}

/** The refusal of a call that has waited long enough for calls under way. */
export function stillFull(row: BudgetRow): AppError {
  const said =
    `The rest of the budget of ${whose(row)} is reserved by calls under way (${used(row)} used); ` +
    'try again when they have ended';
  return new AppError('budget_exceeded', said, { details: detailsOf(row), retryAfter: SOON });
}

function isUsedUp({ tokens, used_tokens, cost, used_cost }: BudgetRow, estimate: Estimate): boolean {
  // What costs nothing does not mind that the money is spent.
  return isReached(used_tokens, tokens) || (estimate.cost !== 0 && isReached(used_cost, cost));
}

function isReached(value: number, bound: number | null): boolean {
  return bound !== null && value >= bound;
}

function hasRoom(row: BudgetRow, { tokens, cost }: Estimate): boolean {
  const hasTokens = row.tokens === null || row.used_tokens + row.reserved_tokens + tokens <= row.tokens;
  if (row.cost === null || !cost) return hasTokens;
  return hasTokens && row.used_cost + row.reserved_cost + cost <= row.cost;
}

function usedUp(row: BudgetRow): AppError {
  const { end } = periodAt(row.period, row.now);
  const anew =
    end === null
      ? `It does not begin anew: ${otherwise(row)}`
      : `It begins anew at ${end}: wait until then, or ${otherwise(row)}`;
  return new AppError('budget_exceeded', `The budget of ${whose(row)} is used up: ${used(row)}. ${anew}`, {
    details: detailsOf(row),
    retryAfter: end === null ? undefined : Math.max(1, Math.ceil((Date.parse(end) - row.now) / 1000)),
  });
}

function unpriced(row: BudgetRow, { model }: Estimate): AppError {
  const said =
    `The price of ${model} is not known, so the budget of ${whose(row)} in US dollars cannot be kept with it; ` +
    'name another model, or have the budget set in tokens';
  return new UnpricedError('budget_exceeded', said, { details: detailsOf(row) });
}

/** A key stays as it was made. */
function otherwise({ subject }: BudgetRow): string {
  return subject.startsWith('key_') ? 'make another key' : 'have an admin raise it';
}

function whose({ subject }: BudgetRow): string {
  return subject.startsWith('key_') ? 'this API key' : 'this account';
}

const WITHIN: Readonly<Record<BudgetPeriod, string>> = {
  day: 'today',
  week: 'this week',
  month: 'this month',
  total: 'in all',
};

/** Such as `1,200 of 1,000 tokens and $0.50 of $2.00 this month`. */
function used({ tokens, used_tokens, cost, used_cost, period }: BudgetRow): string {
  const inTokens = tokens === null ? [] : [`${count(used_tokens)} of ${count(tokens)} tokens`];
  const inDollars = cost === null ? [] : [`${dollars(used_cost)} of ${dollars(cost)}`];
  return `${[...inTokens, ...inDollars].join(' and ')} ${WITHIN[period]}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function dollars(cost: number): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6 };
  return toDollars(cost).toLocaleString('en-US', { style: 'currency', currency: 'USD', ...digits });
}

function detailsOf({ subject, period, tokens, used_tokens, cost, used_cost, now }: BudgetRow): Record<string, unknown> {
  return {
    budget: {
      subject,
      period,
      tokens,
      usedTokens: used_tokens,
      usd: cost === null ? null : toDollars(cost),
      usedUsd: toDollars(used_cost),
      resetsAt: periodAt(period, now).end,
    },
  };
}
