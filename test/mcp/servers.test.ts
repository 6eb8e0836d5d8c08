import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { listMcpServers } from '../../src/storage/mcp-servers.ts';
import { forgetUnreadable, openSecretKey, rotateGivenKey, rotateKeyFile } from '../../src/storage/rotation.ts';
import { type McpDeps, McpServers } from '../../src/tools/mcp/servers.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { httpServer } from './http-server.ts';
import { afterwards, callOf, configOf, programOf, QUICK, testFolder, testLog } from './rig.ts';

const TOKEN = 'Bearer token-0123456789';

describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
  let postgres: PostgresServer | undefined;

  beforeAll(async () => {
    if (kind === 'PostgreSQL') postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  interface Place {
    database: Database;
    home: string;
    secretKey: Buffer;
    /** Starts what a node has. */
    start(more?: Partial<McpDeps>): Promise<McpServers>;
  }

  async function newPlace(): Promise<Place> {
    const home = testFolder();
    const database = await openDatabase({
      databaseUrl: await postgres?.newDatabase(),
      file: join(home, 'profclaw.db'),
    });
    afterwards(() => database.close());
    const secretKey = await openSecretKey({ db: database.db, home, fromEnvironment: undefined });
    const start = async (more: Partial<McpDeps> = {}): Promise<McpServers> => {
      const servers = new McpServers({
        ...{ db: database.db, secretKey, log: testLog().log, version: '0', servers: {}, clocks: QUICK },
        ...{ stdioFromApi: false, privateFromApi: true, changed: () => undefined },
        environment: { PATH: process.env.PATH ?? '' },
        ...more,
      });
      afterwards(() => servers.stop());
      await servers.start();
      return servers;
    };
    return { database, home, secretKey, start };
  }

  const names = (servers: McpServers): string[] => servers.tools().map(({ name }) => name);

  it('what is set, changed and removed at one node is so at the others, and after a start', async () => {
    const { start } = await newPlace();
    const http = await httpServer();
    const other = await start();
    const servers = await start({ changed: () => void other.refresh() });
    await servers.create('local', 'test', { url: http.url, headers: { authorization: TOKEN } });
    for (const node of [servers, other]) await expect.poll(() => names(node)).toContain('mcp__test__echo');
    expect(servers.tools()).toBe(servers.tools());
    expect(await callOf({ tools: other.tools() }, 'echo')).toEqual({ text: 'echo: hello', isError: false });

    await servers.update('local', 'test', { tools: ['where'] });
    for (const node of [servers, other]) await expect.poll(() => names(node)).toEqual(['mcp__test__where']);
    const { text } = await callOf({ tools: other.tools() }, 'where', {});
    expect(JSON.parse(text).authorization).toBe(TOKEN);

    const later = await start();
    await expect.poll(() => names(later)).toEqual(['mcp__test__where']);

    await servers.remove('test');
    expect(names(servers)).toEqual([]);
    await expect.poll(() => names(other)).toEqual([]);
    await expect(servers.remove('test')).rejects.toMatchObject({ code: 'not_found' });
    expect((await start()).list()).toEqual([]);
  });

  it('a name is given once, whoever comes first', async () => {
    const { start } = await newPlace();
    const nodes = [
      await start(),
      await start(),
      await start({ servers: { mine: configOf({ url: 'http://127.0.0.1:9/' }) } }),
    ];
    const made = await Promise.allSettled(
      nodes.map((node) => node.create('local', 'one', { url: 'http://127.0.0.1:9/' })),
    );
    expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    await expect(nodes[2]?.create('local', 'mine', { url: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('the configuration’s server is the one that counts, and is not changed by the API', async () => {
    const { start } = await newPlace();
    const http = await httpServer();
    await (await start()).create('local', 'test', { url: 'http://127.0.0.1:9/' });
    const servers = await start({ servers: { test: configOf({ url: http.url }) } });
    await expect.poll(() => servers.get('test').state?.state).toBe('connected');
    await servers.refresh();
    expect(servers.list()).toMatchObject([{ name: 'test', source: 'configuration' }]);
    await expect(servers.update('local', 'test', { enabled: false })).rejects.toMatchObject({ code: 'conflict' });
    await expect(servers.remove('test')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('credentials are sealed where they are stored, and a new key keeps them', async () => {
    const { database, home, secretKey, start } = await newPlace();
    const secrets = ['token-0123456789', 'value-of-the-environment', 'key-in-the-query'];
    const servers = await start({ stdioFromApi: true });
    await servers.create('local', 'web', {
      url: `http://127.0.0.1:9/?key=${secrets[2]}`,
      headers: { authorization: TOKEN },
      enabled: false,
    });
    await servers.create('local', 'program', { ...programOf('plain', { env: { TOKEN: secrets[1] } }), enabled: false });
    const written = JSON.stringify(await listMcpServers(database.db));
    const files = kind === 'SQLite' ? readdirSync(home).map((file) => readFileSync(join(home, file), 'latin1')) : [];
    for (const secret of secrets) for (const text of [written, ...files]) expect(text).not.toContain(secret);

    expect(await rotateKeyFile({ db: database.db, home })).toBe(2);
    const next = await openSecretKey({ db: database.db, home, fromEnvironment: undefined });
    expect(next).not.toEqual(secretKey);
    await expect(servers.update('local', 'web', { enabled: true })).rejects.toMatchObject({ code: 'conflict' });
    const later = await start({ secretKey: next });
    expect(later.get('web').config).toMatchObject({ headers: { authorization: TOKEN } });
    expect(later.get('program').config).toMatchObject({ env: { TOKEN: secrets[1] } });
    expect(await rotateGivenKey({ db: database.db, home, fromEnvironment: undefined }, Buffer.alloc(32, 7))).toBe(2);
  });

  it('credentials stand in no log, whoever repeats them', async () => {
    const { start } = await newPlace();
    const http = await httpServer();
    const { log, lines } = testLog();
    const servers = await start({ log });
    await servers.create('local', 'test', { url: http.url, headers: { authorization: TOKEN } });
    await expect.poll(() => names(servers)).toContain('mcp__test__echo');
    http.behaviour = 'refuses';
    const outcome = await callOf({ tools: servers.tools() }, 'echo');
    expect(outcome.text).toMatch(/status 401/);
    http.behaviour = 'repeats';
    const repeated = await callOf({ tools: servers.tools() }, 'echo');
    expect(repeated.text).toMatch(/status 500: .*who is \[secret\]\?/);
    await expect.poll(() => lines.join('')).toMatch(/status 500: .*who is \[secret\]/);
    for (const text of [lines.join(''), JSON.stringify(servers.list().map(({ state }) => state)), outcome.text])
      expect(text).not.toContain('token-0123456789');
  });

  it('what no key opens any more can be forgotten', async () => {
    const { database, start } = await newPlace();
    await (await start()).create('local', 'web', { url: 'http://127.0.0.1:9/', enabled: false });
    const home = testFolder();
    mkdirSync(home, { recursive: true });
    await expect(openSecretKey({ db: database.db, home, fromEnvironment: undefined })).rejects.toThrow(
      'mcp_servers/web',
    );
    await forgetUnreadable({ db: database.db, home, fromEnvironment: undefined });
    expect(await listMcpServers(database.db)).toEqual([]);
  });
});
