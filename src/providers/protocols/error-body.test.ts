import { describe, expect, it } from 'vitest';
import { readErrorBody } from './error-body.ts';

describe('readErrorBody', () => {
  it.each<[string, unknown, string, string[], number | undefined]>([
    ['openai', { error: { message: 'M', type: 'T', param: null, code: 'C' } }, 'M', ['C', 'T'], undefined],
    ['anthropic', { type: 'error', error: { type: 'T', message: 'M' }, request_id: 'r' }, 'M', ['T'], undefined],
    ['google', { error: { code: 429, message: 'M', status: 'S' } }, 'M', ['S'], 429],
    ['google, streaming', [{ error: { code: 400, message: 'M', status: 'S' } }], 'M', ['S'], 400],
    ['azure', { error: { code: '401', message: 'M' } }, 'M', ['401'], 401],
    ['groq, in a stream', { error: { message: 'M', code: 'C', status_code: 400 } }, 'M', ['C'], 400],
    ['openrouter', { error: { code: 502, message: 'Provider returned error', metadata: { raw: 'M' } } }, 'M', [], 502],
    [
      'openrouter, raw JSON',
      { error: { code: 400, message: 'Provider returned error', metadata: { raw: '{"error":{"message":"M"}}' } } },
      'M',
      [],
      400,
    ],
    [
      'openrouter, the kinds of the one behind it',
      {
        error: {
          code: 400,
          message: 'E',
          metadata: { raw: { error: { message: 'M', code: 'C' } }, provider_name: 'P' },
        },
      },
      'P: M',
      ['C'],
      400,
    ],
    [
      'openrouter, moderation',
      { error: { code: 403, message: 'M', metadata: { reasons: ['a', 'b'], provider_name: 'P' } } },
      'M (a, b)',
      ['content_filter'],
      403,
    ],
    ['azure, filter', { error: { code: 'C', message: 'M', innererror: { code: 'I' } } }, 'M', ['C', 'I'], undefined],
    ['perplexity', { error: { message: 'M', type: 'T', code: 400 } }, 'M', ['T'], 400],
    ['cohere', { id: 'x', message: 'M' }, 'M', [], undefined],
    ['cohere, context', { error_type: 'TOO_MANY_TOKENS', message: 'M' }, 'M', ['TOO_MANY_TOKENS'], undefined],
    ['mistral, key', { detail: 'M' }, 'M', [], undefined],
    ['mistral, schema', { detail: [{ loc: ['body', 'n'], msg: 'M' }, { msg: 'N' }] }, 'body.n: M; N', [], undefined],
    ['mistral, model', { object: 'error', message: 'M', type: 'T', code: '1500' }, 'M', ['1500', 'T'], undefined],
    ['xai', { code: 'C', error: 'M' }, 'M', ['C'], undefined],
    ['cerebras', { message: 'M', type: 'T', param: 'p', code: 'C' }, 'M', ['C', 'T'], undefined],
    ['ollama', { error: 'M' }, 'M', [], undefined],
  ])('%s', (_vendor, body, message, kinds, status) => {
    expect(readErrorBody(body)).toEqual({ message, kinds, status });
  });

  it('keeps what the model wrote in place of a tool call', () => {
    expect(readErrorBody({ error: { message: 'M', failed_generation: '{' } })).toMatchObject({ failedGeneration: '{' });
    expect(readErrorBody({ error: { message: 'M', failed_generation: '' } })).not.toHaveProperty('failedGeneration');
  });

  it.each([[null], ['oops'], [{}], [[]], [{ error: {} }], [{ choices: [] }]])('finds no error in %j', (body) => {
    expect(readErrorBody(body)).toBeUndefined();
  });
});
