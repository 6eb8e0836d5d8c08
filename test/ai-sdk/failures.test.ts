import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { aiSdkModel } from '../../src/providers/ai-sdk/model.ts';
import { ask, HI, PROFILE, request, SECRET, scripted, TIMEOUTS } from './scripted.ts';

describe('what goes wrong', () => {
  const failing = (fail: unknown) => ask(() => scripted('v3', { asked: [], fail }), request(HI));
  const named = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });
  const refusal = (more: object) => named('AI_APICallError', 'words of the SDK', more);

  it.each([
    ['a key that is missing', named('AI_LoadAPIKeyError', 'ACME_API_KEY is missing'), 'provider_not_configured'],
    ['a model that is not there', named('AI_NoSuchModelError', 'No such model'), 'model_not_found'],
    ['what it cannot do', named('AI_UnsupportedFunctionalityError', 'No files'), 'invalid_request'],
    ['what is no answer', named('AI_TypeValidationError', 'Not like that'), 'provider_protocol'],
    ['a bug', new TypeError('x is not a function'), 'provider_protocol'],
    ['a name that every object has', named('constructor', 'Odd'), 'provider_protocol'],
    ['a status', refusal({ statusCode: 403, responseBody: '{"error":{"message":"Go away"}}' }), 'provider_auth'],
    ['a bad body', refusal({ statusCode: 200 }), 'provider_protocol'],
  ])('%s: %s becomes %s', async (_what, error, code) => {
    await expect(failing(error)).rejects.toMatchObject({ code, message: expect.stringMatching(/^Acme: ./) });
  });

  it('is told with the provider’s words, its status and its Retry-After', async () => {
    const error = refusal({
      statusCode: 429,
      responseBody: JSON.stringify({ error: { message: `Slow, ${SECRET}`, type: 'rate_limit_error' } }),
      responseHeaders: { 'retry-after': '99' },
    });
    await expect(failing(error)).rejects.toMatchObject({
      code: 'provider_rate_limited',
      message: 'Acme: Slow, [key]',
      retryAfter: 99,
      details: { providerStatus: 429 },
    });
  });

  it('is a stream that ends too early, or with an error of any form', async () => {
    const text = [
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'Hel' },
    ];
    const last = async (parts: unknown[]) => {
      const { events } = await ask(
        () => scripted('v3', { asked: [], parts: [...text, ...parts] }),
        request(HI, { stream: true }),
      );
      expect(events[0]).toEqual({ type: 'text', text: 'Hel' });
      return events.at(-1);
    };
    expect(await last([])).toMatchObject({ type: 'error', error: { code: 'provider_protocol' } });
    for (const error of ['Overloaded', { message: 'Overloaded' }, { error: { message: 'Overloaded' } }]) {
      expect(await last([{ type: 'error', error }])).toMatchObject({
        error: { code: 'provider_unavailable', message: 'Acme: Overloaded' },
      });
    }
    const refused = refusal({ statusCode: 400, responseBody: '{"error":{"message":"Bad"}}' });
    expect(await last([{ type: 'error', error: refused }])).toMatchObject({ error: { code: 'provider_rejected' } });
  });

  it('is not the length of what it says', async () => {
    const many = 150_000;
    const warnings = Array.from({ length: many }, () => ({ type: 'other', message: 'Mind' }));
    const open = Array.from({ length: many }, (_, id) => {
      return { type: 'text-start', id: String(id), providerMetadata: { acme: { item: id } } };
    });
    const parts = [{ type: 'stream-start', warnings }, ...open, { type: 'finish', finishReason: 'stop', usage: {} }];
    const answer = await ask(() => scripted('v3', { asked: [], parts }), request(HI, { stream: true }));
    expect(answer.warnings).toHaveLength(many);
    expect(answer.events).toHaveLength(many + 1);
  });

  it('is a model that is only promised, and never comes', async () => {
    const languageModel = () => Promise.reject(new Error('nobody waits for it'));
    await expect(ask({ languageModel }, request(HI))).rejects.toMatchObject({ code: 'provider_not_configured' });
  });

  it('is a version of the interface that nobody knows, or no model at all', async () => {
    const version = (of: string) => ask(() => scripted(of, { asked: [] }), request(HI));
    await expect(version('v9')).rejects.toMatchObject({
      code: 'provider_not_configured',
      message: expect.stringMatching(/version v9 .* known are v2, v3, v4/),
    });
    await expect(ask({ image: () => undefined }, request(HI))).rejects.toMatchObject({
      message: expect.stringContaining('has no language models'),
    });
  });

  it('is a model that heeds the signal: the reason counts, not what it makes of it', async () => {
    const doGenerate = ({ abortSignal }: { abortSignal: AbortSignal }) =>
      new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(new Error('aborted'))));
    const model = { ...scripted('v3', { asked: [] }), doGenerate };
    await expect(ask(() => model, request(HI))).rejects.toMatchObject({ code: 'provider_timeout' });
  });

  it('is a model that does not heed the signal: whoever waits is let go', async () => {
    const deaf = { ...scripted('v3', { asked: [] }), doGenerate: () => new Promise(() => undefined) };
    const caller = new AbortController();
    const call = ask(() => deaf, request(HI), caller.signal);
    caller.abort(new AppError('shutting_down', 'The server stops'));
    await expect(call).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(ask(() => deaf, request(HI))).rejects.toMatchObject({ code: 'provider_timeout' });
  });
});

describe('batches', () => {
  it('hold what came in one turn, and a cancelled answer cancels the stream', async () => {
    let cancelled = false;
    let pulls = 0;
    const stream = new ReadableStream({
      pull: (controller) => {
        pulls++;
        controller.enqueue({ type: 'text-delta', id: '1', delta: 'a' });
        if (pulls % 100 === 0) return new Promise((resolve) => setTimeout(resolve, 5));
        return undefined;
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const endless = { ...scripted('v3', { asked: [] }), doStream: () => Promise.resolve({ stream }) };
    const source = { name: 'Acme', secrets: [] };
    const model = aiSdkModel('custom:acme', PROFILE, () => Promise.resolve(() => endless), source, TIMEOUTS);
    const { events } = await model.chat(request(HI, { stream: true }), new AbortController().signal);
    let batches = 0;
    let pieces = 0;
    for await (const batch of events) {
      batches++;
      pieces += batch.length;
      if (pieces >= 1000) break;
    }
    expect(batches).toBeLessThan(100);
    expect(cancelled).toBe(true);
    // A reader that has stopped reads no further.
    expect(pulls).toBeLessThan(pieces + 10);
  });
});
