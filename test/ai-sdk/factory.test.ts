import { expect, it, vi } from 'vitest';
import { sdkProvider } from '../../src/providers/ai-sdk/model.ts';
import { loadFactory } from '../../src/providers/ai-sdk/package.ts';
import { PROFILE, SECRET } from './scripted.ts';

vi.mock(import('../../src/providers/ai-sdk/package.ts'), async (original) => ({
  ...(await original()),
  loadFactory: vi.fn(),
}));

/** What the provider of a package is whose `create…` does this. */
const made = (create: () => unknown): Promise<unknown> => {
  vi.mocked(loadFactory).mockResolvedValueOnce(create);
  return sdkProvider(PROFILE, {}, { name: 'Acme', secrets: [SECRET] })();
};

it('a create… may take its time, and what it fails with is told like all else', async () => {
  const provider = { languageModel: () => undefined };
  await expect(made(() => Promise.resolve(provider))).resolves.toBe(provider);
  await expect(made(() => Promise.reject(new Error(`Not with ${SECRET}`)))).rejects.toMatchObject({
    code: 'provider_protocol',
    message: 'Acme: Not with [key]',
  });
});

it.each([() => 'id', {}, undefined, 'text'])('what a helper creates (%s) is no provider', async (helper) => {
  await expect(made(() => helper)).rejects.toMatchObject({
    code: 'provider_not_configured',
    message: expect.stringContaining('is not a provider'),
  });
});
