import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchModels } from '../../src/providers/live/fetch-models.ts';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import { endpointOf } from '../../src/providers/settings/endpoint.ts';
import { HttpClient } from '../../src/providers/transport/client.ts';
import { providerConnector } from '../../src/providers/transport/connector.ts';
import { type Site, site } from './rig.ts';

const KEY = 'sk-0123456789';
let client: HttpClient;
beforeAll(() => {
  client = new HttpClient({ connect: 2000, firstByte: 2000, idle: 2000 });
});
afterAll(() => client.close());

const list = (type: VendorType, baseUrl: string) =>
  fetchModels(PROFILES[type], endpointOf(PROFILES[type], { apiKey: KEY, baseUrl }), client);

describe('the list of models', () => {
  it.each(['openai', 'anthropic', 'google', 'ollama', 'cohere'] as const)('of %s follows no redirect', async (type) => {
    const other = await site((_, response) => response.end('{"data": [{"id": "stolen"}]}'));
    for (const status of [301, 302, 303, 307, 308]) {
      const own: Site = await site((_, response) => {
        response.writeHead(status, { location: `${other.origin}/models` });
        response.end();
      });
      await expect(list(type, own.origin)).rejects.toThrow(`status ${status}; is the base URL`);
      expect(own.requests).toHaveLength(1);
    }
    expect(other.connections).toBe(0);
  });

  it('of a provider on this machine is there', async () => {
    const own = await site((_, response) => response.end('{"data": [{"id": "local"}]}'));
    expect((await list('ollama', own.origin)).map(({ id }) => id)).toContain('local');
    expect((await list('openai', `http://localhost:${own.port}/v1`)).map(({ id }) => id)).toEqual(['local']);
  });

  it.each([
    'http://169.254.169.254/latest',
    'http://2852039166/latest',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'https://168.63.129.16/',
  ])('is never that of %s', async (baseUrl) => {
    await expect(list('openai', baseUrl)).rejects.toThrow('could not be reached (ERR_METADATA_ADDRESS)');
  });
});

describe('a connection to a provider', () => {
  /** Who says of every name that it is at these addresses. */
  const at =
    (...all: { address: string; family: number }[]): LookupFunction =>
    (_host, options, done) =>
      options.all ? done(null, all) : done(null, all[0]?.address ?? '', all[0]?.family);
  const get = async (ask: LookupFunction, port: number): Promise<string> => {
    const dispatcher = new Agent({ connect: providerConnector(2000, ask) });
    try {
      return await (await request(`http://name.test:${port}/`, { dispatcher })).body.text();
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    } finally {
      await dispatcher.destroy();
    }
  };

  it('goes where its name leads to, but to no metadata', async () => {
    const own = await site();
    const good = { address: '127.0.0.1', family: 4 };
    expect(await get(at(good), own.port)).toBe('secret');
    expect(await get(at({ address: '169.254.169.254', family: 4 }), own.port)).toBe('ERR_METADATA_ADDRESS');
    expect(await get(at(good, { address: 'fd00:ec2::254', family: 6 }), own.port)).toBe('ERR_METADATA_ADDRESS');
    expect(own.connections).toBe(1);
  });
});
