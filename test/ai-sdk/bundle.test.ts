import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { says } from '../contract/helpers.ts';
import { openAiAnswer } from '../contract/upstream.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');

// An installation of its own: the bundle with the packages beside it, as they would be after npm install.
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-bundle-'));
  await promisify(execFile)(NODE, ['scripts/build.ts', join(folder, 'dist')], { cwd: ROOT });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the bundle. `url` is where it listens; rejects with what it said if it ends instead. */
function run(providers: object): { url: Promise<string>; stop(): Promise<number | null> } {
  const child = spawn(NODE, ['dist/main.js'], {
    cwd: folder,
    env: {
      PROFCLAW_HOME: join(folder, 'home'),
      PORT: '0',
      OLLAMA_BASE_URL: 'http://127.0.0.1:9',
      PROFCLAW_PROVIDERS: JSON.stringify(providers),
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /listens on (\S+)\n/.exec(said)?.[1];
      if (found) resolve(found);
    });
    void ended.then((code) => reject(new Error(`${code}: ${said}`)));
  });
  return {
    url,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

describe('the bundle', () => {
  it('calls a provider by a package that lies beside it', async () => {
    const upstream = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(openAiAnswer({ content: 'From beside' })));
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const baseURL = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const options = { name: 'acme', baseURL };
    const server = run({ 'custom:acme': { package: '@ai-sdk/openai-compatible', options } });
    const answer = await fetch(`${await server.url}/api/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(says('Hi', { model: 'custom:acme/m' })),
    });
    expect(await answer.json()).toMatchObject({ provider: 'custom:acme', message: { content: 'From beside' } });
    expect(await server.stop()).toBe(0);
    upstream.closeAllConnections();
    upstream.close();
  });

  it('does not start with a package that is not there, and says how to get it', async () => {
    const server = run({ 'custom:acme': { package: '@ai-sdk/nobody-has-this' } });
    await expect(server.url).rejects.toThrow(/^2: .*custom:acme\.package: .*npm install @ai-sdk\/nobody-has-this/s);
  });
});
