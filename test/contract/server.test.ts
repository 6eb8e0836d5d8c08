import { expect, it, vi } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { startTestServer } from '../server.ts';

it('a request that could not even be refused breaks its own connection only', async () => {
  const server = await startTestServer();
  const run = vi.spyOn(Exchange.prototype, 'run').mockRejectedValueOnce(new Error('unforeseen'));
  await expect(server.call('/health')).rejects.toThrow('fetch failed');
  run.mockRestore();
  expect((await server.call('/health')).status).toBe(200);
  await server.stop();
});
