import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient, RequestError } from '../../src/client/package.ts';
import { startTestServer } from '../server.ts';

const PAGE = join(import.meta.dirname, '../../docs/client.md');

it('runs what docs/client.md prints', async () => {
  const server = await startTestServer();
  const printed = /```ts\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
  const code = stripTypeScriptTypes(printed)
    .replace(/^import .*$/m, '')
    .replace('http://localhost:3000', server.url);
  const said: string[] = [];
  const log = { log: (...parts: unknown[]) => said.push(parts.join(' ')) };
  const program = new Function('createClient', 'RequestError', 'console', `return (async () => {${code}})();`);
  await program(createClient, RequestError, log);
  expect(said.slice(0, -3).join('')).toBe('One two three');
  expect(said.slice(-3)).toEqual(['calls list_directory', 'completed', '404 not_found']);
  await server.stop();
});
