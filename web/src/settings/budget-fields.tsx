import type { Budget } from '../login/use-me.ts';
import { Field } from '../ui/field.tsx';
import { PERIODS } from './budget-words.ts';
import type { FieldIssues } from './field-issues.ts';

/** The paths of its fields in a request. */
export const BUDGET_PATHS = ['budget.usd', 'budget.tokens', 'budget.period', 'budget'] as const;

/** How much may be used in a period, in a form: in US dollars, in tokens, or both. `before`: what it is now. */
export function BudgetFields({
  issues,
  before = null,
}: {
  issues: FieldIssues;
  before?: Budget | null;
}): React.ReactNode {
  return (
    <fieldset className="access-fieldset">
      <legend>Budget</legend>
      <div className="access-fields">
        <Field label="US dollars" hint="Empty: no bound" error={issues.at('budget.usd') ?? issues.at('budget')}>
          {(field) => (
            <input {...field} name="budget.usd" type="number" min="0" step="any" defaultValue={before?.usd ?? ''} />
          )}
        </Field>
        <Field label="Tokens" hint="Empty: no bound" error={issues.at('budget.tokens')}>
          {(field) => (
            <input {...field} name="budget.tokens" type="number" min="1" step="1" defaultValue={before?.tokens ?? ''} />
          )}
        </Field>
        <Field label="Period" hint="By the calendar, in UTC" error={issues.at('budget.period')}>
          {(field) => (
            <select {...field} name="budget.period" defaultValue={before?.period ?? 'month'}>
              {Object.entries(PERIODS).map(([period, words]) => (
                <option key={period} value={period}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
    </fieldset>
  );
}
