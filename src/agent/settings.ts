import type { Effort, ResponseFormat, Sampling } from '../providers/chat-model.ts';
import type { ModelRef } from '../providers/registry.ts';
import type { RunRow } from '../storage/runs.ts';
import type { SecurityMode } from '../tools/tool.ts';
import type { Limits } from './decide.ts';

/** What becomes of a call that may have been carried out when its process died. */
export const ON_CRASH = ['resume', 'ask', 'fail'] as const;

export type OnCrash = (typeof ON_CRASH)[number];

/** Steps that an effort allows. */
export const STEPS: Readonly<Record<Effort, number>> = { low: 5, medium: 20, high: 50, max: 200 };

/** What a run was asked, as it is kept with it. */
export interface RunSettings {
  /** In the order in which they are asked. */
  refs: ModelRef[];
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  /** Names. */
  tools: string[];
  securityMode: SecurityMode;
  limits: Limits;
  effort?: Effort | undefined;
  sampling?: Sampling | undefined;
  responseFormat?: ResponseFormat | undefined;
  /** System messages of this run, which are not the conversation's. */
  system?: readonly string[] | undefined;
  showThinking: boolean;
  onCrash: OnCrash;
  /** The keys and accounts whose budgets its calls count against. */
  budgets: readonly string[];
}

/** The settings of a stored run. */
export function settingsOf({ settings }: RunRow): RunSettings {
  return JSON.parse(settings) as RunSettings;
}
