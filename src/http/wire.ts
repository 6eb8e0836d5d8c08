import type { IncomingHttpHeaders } from 'node:http';
import type { AppError } from '../errors.ts';
import type { Verdict } from '../limits/verdict.ts';
import { type ErrorReply, errorReply } from './envelope.ts';
import { rateHeaders } from './rate-headers.ts';

/** What the clients of an API expect around its answers: where keys stand, and what errors and limits look like. */
export interface Wire {
  /** The credential, as an `Authorization` header; undefined if there is none. */
  authorization(headers: IncomingHttpHeaders): string | undefined;
  /** Sent with every answer, beside `x-request-id`. */
  requestHeaders(requestId: string): Record<string, string>;
  limitHeaders(verdict: Verdict): Record<string, string>;
  errorReply(error: AppError, requestId: string): ErrorReply;
}

/** That of our own API. */
export const NATIVE_WIRE: Wire = {
  authorization: ({ authorization }) => authorization,
  requestHeaders: () => ({}),
  limitHeaders: rateHeaders,
  errorReply,
};

/** Which wire a request is of: its path and headers say so, whether or not there is such a route. */
export type WireOf = (path: string, headers: IncomingHttpHeaders) => Wire;
