import type { CallItem } from '../../../src/client/run-state.ts';

/** What a model says at the end of its work by calling `complete_task`. */
export interface WorkSummary {
  summary: string;
  artifacts: readonly string[];
  nextSteps: readonly string[];
}

/** The summary that a call is; undefined if it is another call, or was not carried out. */
export function summaryOf({ name, status, arguments: given }: CallItem): WorkSummary | undefined {
  const { summary, artifacts, nextSteps } = given;
  if (name !== 'complete_task' || status !== 'success' || typeof summary !== 'string') return undefined;
  return { summary, artifacts: textsOf(artifacts), nextSteps: textsOf(nextSteps) };
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
