import type { Budget } from '../login/use-me.ts';
import { count, timeWords } from '../runs/run-words.ts';

/** The periods of a budget, and what they are called. */
export const PERIODS = { day: 'a day', week: 'a week', month: 'a month', total: 'in all' } as const;

/** What a form asks for as a budget. */
export interface BudgetInput {
  usd?: number;
  tokens?: number;
  period: string;
}

/** How much of a budget is used, such as `$1.20 of $5.00 and 300 of 2,000 tokens a month`. */
export function budgetWords({ usd, usedUsd, tokens, usedTokens, period }: Budget): string {
  const parts = [
    ...(usd === null ? [] : [`$${usedUsd.toFixed(2)} of $${usd.toFixed(2)}`]),
    ...(tokens === null ? [] : [`${count(usedTokens)} of ${count(tokens)} tokens`]),
  ];
  const often = period in PERIODS ? PERIODS[period as keyof typeof PERIODS] : period;
  return `${parts.join(' and ')} ${often}`;
}

/** When it begins anew; '' if it never does. */
export function resetWords({ resetsAt }: Budget): string {
  return resetsAt === null ? '' : `begins anew ${timeWords(resetsAt)}`;
}

/** The budget in the fields of `BudgetFields`; undefined if neither bound is given. */
export function budgetOf(form: FormData): BudgetInput | undefined {
  const usd = numberOf(form, 'budget.usd');
  const tokens = numberOf(form, 'budget.tokens');
  if (usd === undefined && tokens === undefined) return undefined;
  return {
    ...(usd === undefined ? {} : { usd }),
    ...(tokens === undefined ? {} : { tokens }),
    period: textOf(form, 'budget.period'),
  };
}

/** What stands in a field, without spaces around it. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** The number in a field; undefined if it is empty. */
export function numberOf(form: FormData, name: string): number | undefined {
  const value = textOf(form, name);
  return value === '' ? undefined : Number(value);
}
