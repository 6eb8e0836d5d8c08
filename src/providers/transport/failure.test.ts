import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../errors.ts';
import { readErrorBody } from '../protocols/error-body.ts';
import { isRetryable, refusalError } from './failure.ts';

describe('refusalError', () => {
  it.each<[string, number, unknown, ErrorCode]>([
    ['openai, key', 401, { error: { message: 'Incorrect key', code: 'invalid_api_key' } }, 'provider_auth'],
    ['openai, window', 400, { error: { message: 'M', code: 'context_length_exceeded' } }, 'context_length_exceeded'],
    ['openai, purse', 429, { error: { message: 'M', code: 'insufficient_quota' } }, 'provider_rate_limited'],
    [
      'openai, parameter',
      400,
      { error: { message: "Invalid 'temperature'", type: 'invalid_request_error' } },
      'provider_rejected',
    ],
    [
      'anthropic, busy',
      529,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      'provider_unavailable',
    ],
    [
      'anthropic, busy in a stream',
      200,
      { error: { type: 'overloaded_error', message: 'Overloaded' } },
      'provider_unavailable',
    ],
    [
      'anthropic, window',
      400,
      { error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' } },
      'context_length_exceeded',
    ],
    ['anthropic, model', 404, { error: { type: 'not_found_error', message: 'model: x' } }, 'model_not_found'],
    [
      'google, key is a 400',
      400,
      { error: { code: 400, message: 'API key not valid. Pass one.', status: 'INVALID_ARGUMENT' } },
      'provider_auth',
    ],
    [
      'google, quota',
      429,
      { error: { code: 429, message: 'M', status: 'RESOURCE_EXHAUSTED' } },
      'provider_rate_limited',
    ],
    ['azure, key', 401, { error: { code: '401', message: 'Access denied' } }, 'provider_auth'],
    ['azure, deployment', 404, { error: { code: 'DeploymentNotFound', message: 'M' } }, 'model_not_found'],
    ['azure, filter', 400, { error: { code: 'content_filter', message: 'M' } }, 'content_filtered'],
    ['openrouter, in a stream', 200, { error: { code: 429, message: 'M' } }, 'provider_rate_limited'],
    ['openrouter, model', 400, { error: { code: 400, message: 'a/b is not a valid model ID' } }, 'model_not_found'],
    [
      'perplexity, window',
      400,
      { error: { message: 'M', type: 'too_many_prompt_tokens', code: 400 } },
      'context_length_exceeded',
    ],
    ['cohere, window', 400, { error_type: 'TOO_MANY_TOKENS', message: 'M' }, 'context_length_exceeded'],
    ['mistral, key', 401, { detail: 'M' }, 'provider_auth'],
    ['mistral, model', 400, { object: 'error', message: 'M', type: 'invalid_model', code: '1500' }, 'model_not_found'],
    [
      'xai, key is a 400',
      400,
      { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: x' },
      'provider_auth',
    ],
    [
      'cerebras, limit',
      429,
      { message: 'M', type: 'too_many_requests_error', code: 'request_quota_exceeded' },
      'provider_rate_limited',
    ],
    ['ollama, model', 404, { error: "model 'x' not found" }, 'model_not_found'],
    ['ollama, in a stream', 200, { error: 'out of memory' }, 'provider_unavailable'],
    [
      'groq, tool call',
      400,
      { error: { message: 'M', code: 'tool_use_failed', type: 'invalid_request_error' } },
      'provider_rejected',
    ],
    ['a gateway', 504, { error: { message: 'M' } }, 'provider_timeout'],
    [
      'a server that calls its fault ours',
      500,
      { error: { message: 'M', type: 'authentication_error' } },
      'provider_unavailable',
    ],
  ])('%s', (_case, status, body, code) => {
    const reading = readErrorBody(body);
    if (!reading) throw new Error('no reading');
    const error = refusalError({ provider: 'Vendor', status, reading });
    expect(error.code).toBe(code);
    expect(error.message).toBe(`Vendor: ${reading.message}`);
  });

  it('prefers the wait that the headers name', () => {
    const reading = { message: 'M', kinds: [], retryAfter: 17 };
    expect(refusalError({ provider: 'V', status: 429, reading, retryAfter: 3 }).retryAfter).toBe(3);
    expect(refusalError({ provider: 'V', status: 429, reading }).retryAfter).toBe(17);
  });
});

describe('isRetryable', () => {
  it.each([
    [408, true],
    [409, true],
    [429, true],
    [500, true],
    [529, true],
    [400, false],
    [401, false],
    [404, false],
  ])('status %i: %s', (status, retryable) => {
    expect(isRetryable(status, { message: 'M', kinds: [] })).toBe(retryable);
  });

  it('does not ask again when the purse is empty', () => {
    expect(isRetryable(429, { message: 'M', kinds: ['insufficient_quota'] })).toBe(false);
  });
});

describe('an error inside an answer with status 200', () => {
  it.each([
    ["This model's maximum context length is 8192 tokens", 'context_length_exceeded'],
    ['Incorrect API key provided', 'provider_auth'],
    ['Something broke', 'provider_unavailable'],
  ])('%s is %s', (message, code) => {
    expect(refusalError({ provider: 'X', status: 200, reading: { message, kinds: [] } }).code).toBe(code);
  });
});
