import { describe, expect, it } from 'vitest';
import { answerHeaders } from '../../src/compat/answer-headers.ts';
import { ANTHROPIC_WIRE } from '../../src/compat/anthropic-wire.ts';
import { OPENAI_WIRE } from '../../src/compat/openai-wire.ts';
import { wireOf } from '../../src/compat/wires.ts';
import { AppError, InvalidRequestError } from '../../src/errors.ts';
import { NATIVE_WIRE } from '../../src/http/wire.ts';
import type { Bucket } from '../../src/limits/bucket.ts';
import type { Standing } from '../../src/limits/verdict.ts';

function standing(policy: Bucket['policy'], remaining: number, resetMs: number): Standing {
  return { name: policy, policy, limit: 60, perMinute: 60, remaining, resetMs };
}

describe('whose API a request is of', () => {
  it.for([
    ['/api/chat/completions', {}, NATIVE_WIRE],
    ['/api/chat/completions', { 'anthropic-version': '2023-06-01' }, NATIVE_WIRE],
    ['/v1/chat/completions', {}, OPENAI_WIRE],
    ['/v1/nothing-of-that-kind', {}, OPENAI_WIRE],
    ['/v1/messages', {}, ANTHROPIC_WIRE],
    ['/v1/messages/count_tokens', {}, ANTHROPIC_WIRE],
    ['/v1/models', {}, OPENAI_WIRE],
    ['/v1/models', { 'anthropic-version': '2023-06-01' }, ANTHROPIC_WIRE],
  ] as const)('%s %o', ([path, headers, wire]) => {
    expect(wireOf(path, headers)).toBe(wire);
  });

  it('takes keys from each one’s own header', () => {
    const [bearer, key] = ['Bearer profclaw_a', 'profclaw_b'];
    expect(ANTHROPIC_WIRE.authorization({ 'x-api-key': key })).toBe('Bearer profclaw_b');
    expect(ANTHROPIC_WIRE.authorization({ authorization: bearer, 'x-api-key': key })).toBe(bearer);
    expect(ANTHROPIC_WIRE.authorization({})).toBeUndefined();
    expect(OPENAI_WIRE.authorization({ authorization: bearer })).toBe(bearer);
    expect(OPENAI_WIRE.authorization({ 'x-api-key': key })).toBeUndefined();
    expect(NATIVE_WIRE.authorization({ 'x-api-key': key })).toBeUndefined();
  });

  it('takes a key that cannot be ours for none, but nothing else', () => {
    const other = 'Bearer sk-other';
    expect(OPENAI_WIRE.authorization({ authorization: other })).toBeUndefined();
    expect(ANTHROPIC_WIRE.authorization({ authorization: other, 'x-api-key': 'sk-ant' })).toBeUndefined();
    expect(ANTHROPIC_WIRE.authorization({ authorization: other, 'x-api-key': 'profclaw_b' })).toBe('Bearer profclaw_b');
    for (const authorization of ['Basic eDp5', 'Bearer', 'Bearer a b', 'sk-other'])
      expect(OPENAI_WIRE.authorization({ authorization })).toBe(authorization);
    expect(NATIVE_WIRE.authorization({ authorization: other })).toBe(other);
  });
});

describe('errors', () => {
  const wrong = new InvalidRequestError([
    { path: 'messages.0.role', message: 'is odd' },
    { path: 'n', message: 'must be 1' },
  ]);

  it('have all four fields of OpenAI’s, and name the first parameter', () => {
    expect(OPENAI_WIRE.errorReply(wrong, 'req_1')).toEqual({
      status: 400,
      headers: {},
      body: {
        error: {
          message: 'Invalid request: messages.0.role: is odd; n: must be 1',
          type: 'invalid_request_error',
          param: 'messages.0.role',
          code: 'invalid_request',
        },
      },
    });
  });

  it.for([
    ['unauthenticated', 401, 'authentication_error', 'invalid_api_key', 'authentication_error', 401],
    ['forbidden', 403, 'permission_error', 'forbidden', 'permission_error', 403],
    ['model_not_found', 404, 'not_found_error', 'model_not_found', 'not_found_error', 404],
    ['context_length_exceeded', 400, 'invalid_request_error', 'context_length_exceeded', 'invalid_request_error', 400],
    ['too_large', 413, 'invalid_request_error', 'too_large', 'request_too_large', 413],
    ['rate_limited', 429, 'rate_limit_error', 'rate_limit_exceeded', 'rate_limit_error', 429],
    ['budget_exceeded', 429, 'insufficient_quota', 'insufficient_quota', 'rate_limit_error', 429],
    ['internal', 500, 'server_error', 'server_error', 'api_error', 500],
    ['overloaded', 503, 'server_error', 'overloaded', 'overloaded_error', 529],
    ['provider_timeout', 504, 'server_error', 'provider_timeout', 'timeout_error', 504],
  ] as const)('%s', ([code, status, openAiType, openAiCode, anthropicType, anthropicStatus]) => {
    const error = new AppError(code, 'Why', { details: { hint: 'what to do' }, retryAfter: 7 });
    const headers = expect.objectContaining({ 'retry-after': '7', 'retry-after-ms': '7000' });
    const message = 'Why: what to do';
    expect(OPENAI_WIRE.errorReply(error, 'req_1')).toEqual({
      ...{ status, headers },
      body: { error: { message, type: openAiType, param: null, code: openAiCode } },
    });
    expect(ANTHROPIC_WIRE.errorReply(error, 'req_1')).toEqual({
      ...{ status: anthropicStatus, headers },
      body: { type: 'error', error: { type: anthropicType, message }, request_id: 'req_1' },
    });
  });
});

it.for([
  ['provider_rate_limited', 0.0301, '1', '31', undefined],
  ['provider_rate_limited', 1.5, '2', '1500', undefined],
  ['rate_limited', 0, '1', '1000', undefined],
  ['overloaded', 60, '60', '60000', undefined],
  ['budget_exceeded', 60.001, '61', '60001', 'false'],
  ['provider_rate_limited', 1e9, '86400', '86400000', 'false'],
  ['provider_rate_limited', undefined, undefined, undefined, undefined],
  ['provider_rate_limited', -1, undefined, undefined, undefined],
  ['provider_not_configured', undefined, undefined, undefined, 'false'],
  ['provider_unavailable', undefined, undefined, undefined, undefined],
] as const)(
  '%s with a wait of %s s: retry-after %s, in ms %s, x-should-retry %s',
  ([code, retryAfter, ...expected]) => {
    const error = new AppError(code, 'Not now', { retryAfter });
    for (const wire of [OPENAI_WIRE, ANTHROPIC_WIRE]) {
      const { headers } = wire.errorReply(error, 'req_1');
      expect([headers['retry-after'], headers['retry-after-ms'], headers['x-should-retry']]).toEqual(expected);
    }
    const native = NATIVE_WIRE.errorReply(error, 'req_1').headers;
    expect([native['retry-after-ms'], native['x-should-retry']]).toEqual([undefined, undefined]);
  },
);

describe('limits', () => {
  it('are those of the bucket that is nearest to its end', () => {
    const verdict = { standings: [standing('key', 50, 10_000), standing('user', 2, 59_001)] };
    expect(OPENAI_WIRE.limitHeaders(verdict)).toMatchObject({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '2',
      'x-ratelimit-reset-requests': '1m0s',
      'ratelimit-policy': expect.any(String),
    });
    expect(ANTHROPIC_WIRE.limitHeaders(verdict)).toMatchObject({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '2',
      'anthropic-ratelimit-requests-reset': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  it.for([
    [20, '20ms'],
    [1000, '1s'],
    [58_500, '59s'],
    [361_000, '6m1s'],
  ] as const)('say %d ms as %s', ([ms, text]) => {
    const headers = OPENAI_WIRE.limitHeaders({ standings: [standing('key', 0, ms)] });
    expect(headers['x-ratelimit-reset-requests']).toBe(text);
  });

  it('are those of the bucket that refused', () => {
    const refused = standing('user', 0, 5000);
    const headers = OPENAI_WIRE.limitHeaders({ standings: [standing('key', 0, 1), refused], refused });
    expect(headers['x-ratelimit-reset-requests']).toBe('5s');
  });

  it('are none without any', () => {
    expect(OPENAI_WIRE.limitHeaders({ standings: [] })).toEqual({});
    expect(ANTHROPIC_WIRE.limitHeaders({ standings: [] })).toEqual({});
  });
});

const FROM = { ref: { provider: 'demo', model: 'demo' }, warnings: [] as string[] } as const;

describe('the header of warnings', () => {
  it('is a JSON list that any header can carry', () => {
    const warnings = ['topK: left out', 'naïve “quotes” 🙂\n'];
    const { 'x-profclaw-warnings': text } = answerHeaders(FROM, warnings);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(text!)).toEqual(warnings);
  });

  it('names parameters as the wire does', () => {
    const from = { ...FROM, warnings: ['topK: left out', 'stop: left out'] };
    const headers = answerHeaders(from, [], { stop: 'stop_sequences' });
    expect(JSON.parse(headers['x-profclaw-warnings']!)).toEqual(['top_k: left out', 'stop_sequences: left out']);
  });

  it('is not there without any', () => {
    expect(answerHeaders(FROM, [])).toEqual({ 'x-profclaw-provider': 'demo' });
  });
});
