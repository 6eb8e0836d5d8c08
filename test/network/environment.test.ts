import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { site } from './rig.ts';

const FETCH_ONCE = fileURLToPath(new URL('./fetch-once.ts', import.meta.url));

it('no proxy of the environment is used, and nothing keeps the process from its end', async () => {
  const own = await site((_, response) => response.end('direct'));
  const proxy = await site((_, response) => response.end('proxied'));
  const { stdout } = await promisify(execFile)(process.execPath, [FETCH_ONCE, own.origin], {
    timeout: 20_000,
    env: {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: proxy.origin,
      http_proxy: proxy.origin,
      HTTPS_PROXY: proxy.origin,
      ALL_PROXY: proxy.origin,
    },
  });
  expect([stdout, proxy.connections]).toEqual(['direct', 0]);
});
