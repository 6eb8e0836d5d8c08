import { describe, expect, it } from 'vitest';
import { readMcpServers, secretsOfMcpServer, shownUrl } from './server-config.ts';
import { patchServer } from './server-patch.ts';

/** How a variable is written. */
const variable = (name: string): string => ['$', '{', name, '}'].join('');

const VARIABLES: Record<string, string> = { TOKEN: 'the-token\n', BAD: 'a\nb' };

function read(written: unknown): { servers: ReturnType<typeof readMcpServers>; problems: string[] } {
  const problems: string[] = [];
  const text = typeof written === 'string' ? written : JSON.stringify(written);
  return { servers: readMcpServers(text, (name) => VARIABLES[name], problems), problems };
}

describe('PROFCLAW_MCP_SERVERS', () => {
  it('takes the shape that other clients have, with variables in credentials', () => {
    const given = {
      files: { command: 'npx', args: ['-y', 'server-files', variable('TOKEN')], env: { A: `x${variable('TOKEN')}y` } },
      docs: {
        type: 'http',
        url: 'https://docs.example/mcp',
        headers: { Authorization: `Bearer ${variable('TOKEN')}` },
      },
    };
    const servers = {
      // Arguments can be seen by every program of the machine.
      files: { command: 'npx', args: ['-y', 'server-files', variable('TOKEN')], env: { A: 'xthe-tokeny' } },
      docs: { type: 'http', url: 'https://docs.example/mcp', headers: { Authorization: 'Bearer the-token' } },
    };
    expect(read(given)).toEqual({ servers, problems: [] });
    expect(read({ mcpServers: given })).toEqual({ servers, problems: [] });
  });

  it('names everything that is wrong, and shows no value', () => {
    const { problems } = read({
      'a b': {},
      both: { command: 'x', url: 'https://a.example' },
      extra: { command: 'x', headers: {}, env: { 'A-B': 'secret-value' } },
      missing: { url: 'https://a.example', headers: { a: variable('NOT_THERE'), b: variable('BAD') } },
    });
    expect(problems.map((line) => line.replace('PROFCLAW_MCP_SERVERS: ', ''))).toEqual([
      '"a b": the name must be letters, digits, - and single _, up to 31 characters',
      'both: has both a command and a url',
      'extra.env.A-B: must be the name of a variable',
      'extra.headers: there is no such setting here',
      'missing.headers.a: neither NOT_THERE nor NOT_THERE_FILE gives a value',
      'missing.headers.b: holds characters that no header has',
    ]);
    expect(read('[]').problems).toEqual([expect.stringMatching(/must be a JSON object/)]);
    expect(read('{').problems).toHaveLength(1);
  });

  it('knows what is secret', () => {
    const { servers } = read({
      a: {
        command: 'x',
        env: {
          ...{ A: 'in-env', MY_TOKEN: 'production', DSN: 'postgres://me:in-dsn@host/db' },
          ...{ NODE_ENV: 'production', ROOT: '/home/me', LEVEL: '12', SITE: 'https://a.example/' },
        },
      },
      b: {
        url: 'https://b.example/mcp?key=in-query',
        headers: { authorization: 'Bearer in-header', 'user-agent': 'me' },
      },
    });
    expect(Object.values(servers).flatMap(secretsOfMcpServer)).toEqual([
      ...['in-env', 'production', 'postgres://me:in-dsn@host/db', 'in-dsn'],
      ...['Bearer in-header', 'in-header', 'in-query'],
    ]);
    expect(shownUrl({ url: 'https://b.example/mcp?key=in-query', headers: {} })).toBe('https://b.example/mcp?…');
  });
});

describe('a change of settings', () => {
  const web = { url: 'https://a.example', headers: { a: 'secret' } };
  const program = { command: 'x', args: ['1'], env: { A: 'secret' } };

  it('sets, clears and keeps', () => {
    expect(patchServer(web, { timeout: 5 })).toEqual({ ...web, timeout: 5 });
    expect(patchServer({ ...web, timeout: 5 }, { timeout: null })).toEqual(web);
    expect(patchServer(program, { args: ['1'], enabled: false })).toEqual({ ...program, enabled: false });
  });

  it.for([
    [web, { url: 'https://b.example' }],
    [program, { command: 'y' }],
    [program, { args: ['2'] }],
    [program, { args: null }],
    [program, { cwd: '/tmp' }],
  ] as const)('leaves no credentials to another place: %j %j', ([before, patch]) => {
    expect(() => patchServer(before, patch)).toThrow(/must be given again/);
    expect(patchServer(before, { ...patch, headers: {}, env: {} })).toMatchObject({ headers: {}, env: {} });
  });
});
