import { AppError, type ErrorCode } from '../errors.ts';
import type { Cooling } from '../providers/cool-down.ts';
import type { ModelRef } from '../providers/registry.ts';

/** What became of one of the models that a call could use. `duration` in milliseconds. */
export interface Attempt {
  provider: string;
  model: string;
  status: 'answered' | 'failed' | 'skipped';
  /** Why it failed, or why it was skipped. */
  code?: ErrorCode;
  error?: string;
  duration: number;
}

/** A model that was passed over. */
export function skippedAttempt({ provider, model }: ModelRef, { code, leftMs }: Cooling): Attempt {
  const left = leftMs > 0 ? `for ${Math.ceil(leftMs / 1000)} s more` : 'until another call has found out how it is';
  return { provider, model, status: 'skipped', code, error: `Cooling down after failures, ${left}`, duration: 0 };
}

/** A model that was asked `startedAt` (`performance.now()`) and answers, or has failed now. */
export function attempt({ provider, model }: ModelRef, startedAt: number, error?: AppError): Attempt {
  const duration = Math.round(performance.now() - startedAt);
  if (!error) return { provider, model, status: 'answered', duration };
  return { provider, model, status: 'failed', code: error.code, error: error.message, duration };
}

/** The same error with all attempts in its details, if there were several. */
export function withAttempts(error: AppError, attempts: readonly Attempt[]): AppError {
  if (attempts.length < 2) return error;
  const { code, message, retryAfter, cause } = error;
  return new AppError(code, message, { details: { ...error.details, attempts: [...attempts] }, retryAfter, cause });
}
