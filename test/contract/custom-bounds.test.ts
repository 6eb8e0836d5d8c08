import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method } from './helpers.ts';

const AT = '/api/chat/providers';
const acme = (more: object = {}): object => ({ baseUrl: 'http://127.0.0.1:9/v1', ...more });

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
const configure = (body: object) => server.call(`${AT}/custom:acme/configure`, body);

describe('settings of custom providers', () => {
  it('have bounds: headers, options, and how many providers there are', async () => {
    const headers = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`x-${n}`, 'v']));
    expect(issuePaths(await configure(acme({ headers })))).toEqual(['headers']);
    for (const name of ['Content-Encoding', 'accept-encoding'])
      expect(issuePaths(await configure(acme({ headers: { [name]: 'gzip' } })))).toEqual([`headers.${name}`]);
    const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
    const options = (levels: number): object => ({ package: '@ai-sdk/openai-compatible', options: nested(levels) });
    expect(issuePaths(await configure(options(1000)))).toEqual(['options']);
    expect((await server.call(AT)).status).toBe(200);
    expect((await configure(options(19))).status).toBe(200);
    await server.call(`${AT}/custom:acme`, undefined, method('DELETE'));
    const many = Array.from({ length: 100 }, (_, n) => [`custom:p${n}`, { baseUrl: 'http://127.0.0.1:9' }]);
    const full = await startTestServer({ PROFCLAW_PROVIDERS: JSON.stringify(Object.fromEntries(many)) });
    expectError(await full.call(`${AT}/custom:acme/configure`, acme()), 409, 'conflict', /100 custom providers/);
    expect((await full.call(`${AT}/custom:p7/configure`, { name: 'P7' })).status).toBe(200);
    await full.stop();
  });

  it('of packages can be kept from the API, and what is written down still works', async () => {
    const written = {
      'custom:kept': { package: '@ai-sdk/openai-compatible', options: { name: 'a', baseURL: 'http://a' } },
    };
    const strict = await startTestServer({
      PROFCLAW_API_PACKAGES: 'false',
      PROFCLAW_PROVIDERS: JSON.stringify(written),
    });
    const set = (type: string, body: object) => strict.call(`${AT}/${type}/configure`, body);
    expect(issuePaths(await set('custom:acme', { package: '@ai-sdk/openai-compatible' }))).toEqual(['package']);
    expect(issuePaths(await set('custom:kept', { factory: 'createX', options: {} }))).toEqual(['factory', 'options']);
    expect((await set('custom:kept', { name: 'Kept', options: null })).status).toBe(200);
    expect((await set('custom:acme', acme())).status).toBe(200);
    expect((await strict.call(`${AT}/custom:kept/health`, {})).body).toMatchObject({ healthy: true });
    await strict.stop();
  });
});
