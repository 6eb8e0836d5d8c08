import { AppError, type ErrorCode } from '../errors.ts';
import { UnpricedError } from '../limits/budget-rule.ts';
import type { ProviderEvent } from '../providers/chat-model.ts';
import type { ModelRef, ProviderRegistry } from '../providers/registry.ts';
import { type Attempt, attempt, skippedAttempt, withAttempts } from './attempts.ts';
import { begin, resume } from './begin.ts';
import { type Call, startMeter } from './meter.ts';

/** An answer that has begun, and the model that it is from. */
export interface Answering {
  ref: ModelRef;
  warnings: string[];
  events: AsyncIterable<ProviderEvent[]>;
  /** In order; complete when the answer has ended. */
  attempts: Attempt[];
}

/** Failures that another provider may not have: those of the request itself are left out. */
const FALLS_BACK: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'model_not_found',
  'context_length_exceeded',
  'provider_auth',
  // It was deleted or switched off since the names were looked up, or lacks something that only a call finds out.
  'provider_not_configured',
  'provider_protocol',
  'provider_rate_limited',
  'provider_timeout',
  'provider_unavailable',
]);

/** How long a failing provider may be tried again as long as another model is waiting. */
const HURRIED_MS = 2000;

/**
 * Asks the models in turn until one begins to answer; those that are cooling down only when no other has.
 * @throws AppError the last failure; with several attempts they are its `details.attempts`.
 */
export async function askInTurn(call: Call, refs: readonly ModelRef[]): Promise<Answering> {
  const attempts: Attempt[] = [];
  let failure: AppError | undefined;
  for (const candidate of candidates(call.providers, refs, attempts)) {
    const startedAt = performance.now();
    try {
      return await ask(call, candidate, attempts);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      attempts.push(attempt(candidate.ref, startedAt, error));
      failure = withAttempts(error, attempts);
      if (!FALLS_BACK.has(error.code) && !(error instanceof UnpricedError)) throw failure;
    }
  }
  throw failure ?? new AppError('internal', 'No model was asked');
}

interface Candidate {
  ref: ModelRef;
  /** Another one follows that may be well. */
  isHurried: boolean;
  isLast: boolean;
}

/** The models in the order in which to ask them. Looks at each only when its turn comes: the one before takes time. */
function* candidates(
  providers: ProviderRegistry,
  refs: readonly ModelRef[],
  attempts: Attempt[],
): Generator<Candidate, void> {
  const [only] = refs;
  if (only && refs.length === 1) return yield { ref: only, isHurried: false, isLast: true };
  const postponed: ModelRef[] = [];
  for (const [index, ref] of refs.entries()) {
    const cooling = providers.cooling(ref);
    if (cooling) {
      postponed.push(ref);
      attempts.push(skippedAttempt(ref, cooling));
      continue;
    }
    const others = refs.slice(index + 1);
    const isHurried = others.some((other) => !providers.cooling(other));
    yield { ref, isHurried, isLast: others.length + postponed.length === 0 };
  }
  // Where all of them are cooling down, none has been passed over.
  if (postponed.length === refs.length) attempts.length = 0;
  for (const [index, ref] of postponed.entries()) {
    const isLast = index === postponed.length - 1;
    yield { ref, isHurried: !isLast, isLast };
  }
}

async function ask(call: Call, candidate: Candidate, attempts: readonly Attempt[]): Promise<Answering> {
  const { providers, request, signal } = call;
  const { ref, isHurried, isLast } = candidate;
  // Before anything else: it may have to wait.
  const meter = await startMeter(call, ref);
  const startedAt = performance.now();
  const trial = providers.trial(ref);
  // The one call that finds out whether a model is well again is no time to insist.
  const patienceMs = !isHurried ? undefined : trial?.isProbe ? 0 : HURRIED_MS;
  try {
    const answer = await providers.chatModel(ref.provider).chat({ ...request, model: ref.model }, signal, patienceMs);
    const beginning = await begin(answer.events);
    if (beginning.isFailure && !isLast) {
      await beginning.rest.return?.();
      throw new AppError('provider_protocol', `${ref.provider}/${ref.model} ended with an error and said nothing`);
    }
    trial?.begun();
    const all = [...attempts, attempt(ref, startedAt)];
    const events = resume(beginning, {
      ended: () => {
        trial?.ended();
        all[all.length - 1] = attempt(ref, startedAt);
      },
      failed: (error) => {
        trial?.failed(error);
        all[all.length - 1] = attempt(ref, startedAt, error);
        return withAttempts(error, all);
      },
    });
    return { ref, warnings: answer.warnings, events: meter?.metered(events) ?? events, attempts: all };
  } catch (error) {
    trial?.failed(error);
    await meter?.failed();
    throw error;
  }
}
