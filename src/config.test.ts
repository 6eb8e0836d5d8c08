import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';
import { PROFILES, type VendorType } from './providers/profiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'profclaw-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without a home of its own the test would read the settings file of whoever runs it. */
const load = (environment: Record<string, string | undefined> = {}) =>
  loadConfig({ PROFCLAW_HOME: folder, ...environment });

function problems(environment: Record<string, string | undefined>): string[] {
  try {
    load(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

let files = 0;
function file(content: string): string {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, content);
  return path;
}

describe('loadConfig', () => {
  it('has the defaults of the contract', () => {
    expect(load()).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      home: folder,
      workspace: process.cwd(),
      databaseUrl: undefined,
      secretKey: undefined,
      access: {
        isReachable: false,
        accessKey: undefined,
        publicHosts: [],
        isHttps: false,
        corsOrigins: [],
        trustedProxies: [],
        userLimit: undefined,
        addressLimit: undefined,
      },
      bodyLimit: 10 * 1024 * 1024,
      logLevel: 'info',
      timeouts: { connect: 10_000, firstByte: 120_000, idle: 60_000 },
      stopTimeout: 30_000,
    });
    expect(load({ PROFCLAW_CONFIG: file('{}'), PROFCLAW_HOME: undefined }).home).toBe(join(homedir(), '.profclaw'));
  });

  it('reads short names for models, and names every one that is wrong', () => {
    const given = 'Fast = groq/openai/gpt-oss-120b, my.best=anthropic/claude-opus-5-5,';
    expect(load({ PROFCLAW_ALIASES: given }).aliases).toEqual({
      fast: 'groq/openai/gpt-oss-120b',
      'my.best': 'anthropic/claude-opus-5-5',
    });
    const wrong = () => load({ PROFCLAW_ALIASES: 'a=b,c=nobody/x,d/e=groq/x' });
    for (const part of ['"a=b"', '"c=nobody/x"', '"d/e=groq/x"']) expect(wrong).toThrow(part);
  });

  it('cannot be changed afterwards, not even inside', () => {
    const config = load({ GROQ_API_KEY: 'k' });
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.timeouts, { idle: 1 })).toThrow(TypeError);
    expect(() => config.access.publicHosts.push('evil.example')).toThrow(TypeError);
    expect(() => Object.assign(config.providers.groq ?? {}, { apiKey: 'x' })).toThrow(TypeError);
  });

  it('reads what is given; an empty variable counts as absent', () => {
    const config = load({
      HOST: '::1',
      PORT: '0',
      PROFCLAW_WORKSPACE: 'some/where',
      PROFCLAW_PUBLIC_URL: 'https://chat.example.com:8443/x, https://10.0.0.1',
      PROFCLAW_CORS_ORIGINS: 'https://app.example.com,http://localhost:5173',
      PROFCLAW_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      PROFCLAW_ACCESS_KEY: 'sixteen-letters!',
      PROFCLAW_USER_LIMIT: '600',
      PROFCLAW_ADDRESS_LIMIT: '0',
      PROFCLAW_BODY_LIMIT: '2048',
      PROFCLAW_LOG_LEVEL: 'silent',
      PROFCLAW_IDLE_TIMEOUT: '0.5',
      DATABASE_URL: 'postgresql://u:p@h/db',
      PROFCLAW_CONNECT_TIMEOUT: '',
    });
    expect(config).toMatchObject({
      host: '::1',
      port: 0,
      workspace: resolve('some/where'),
      access: {
        publicHosts: ['chat.example.com:8443', '10.0.0.1'],
        isHttps: true,
        corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
        trustedProxies: ['10.0.0.0/8', '::1'],
        accessKey: 'sixteen-letters!',
        userLimit: 600,
        addressLimit: undefined,
      },
      bodyLimit: 2048,
      logLevel: 'silent',
      timeouts: { connect: 10_000, idle: 500 },
      databaseUrl: 'postgresql://u:p@h/db',
    });
  });

  it.each([
    ['127.0.0.1', false],
    ['127.9.9.9', false],
    ['::1', false],
    ['localhost', false],
    ['0.0.0.0', true],
    ['::', true],
    ['192.168.1.2', true],
    ['example.com', true],
    ['localhost.evil.example', true],
    ['127.0.0.1.evil.example', true],
  ])('HOST %s: can other machines connect? %s', (HOST, isReachable) => {
    expect(load({ HOST })).toMatchObject({ host: HOST, access: { isReachable } });
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['PROFCLAW_BODY_LIMIT', '5'],
    ['PROFCLAW_BODY_LIMIT', 'big'],
    ['PROFCLAW_LOG_LEVEL', 'loud'],
    ['PROFCLAW_CONNECT_TIMEOUT', '0'],
    ['PROFCLAW_FIRST_BYTE_TIMEOUT', '-5'],
    ['PROFCLAW_IDLE_TIMEOUT', '1e9'],
    ['PROFCLAW_STOP_TIMEOUT', 'soon'],
    ['PROFCLAW_PUBLIC_URL', 'chat.example.com'],
    ['PROFCLAW_PUBLIC_URL', 'ftp://chat.example.com'],
    ['PROFCLAW_PUBLIC_URL', 'https://a.example,https://user:hidden@b.example'],
    ['PROFCLAW_CORS_ORIGINS', '*'],
    ['PROFCLAW_CORS_ORIGINS', 'null'],
    ['PROFCLAW_CORS_ORIGINS', 'https://app.example.com/'],
    ['PROFCLAW_CORS_ORIGINS', 'https://app.example.com,app.example.com'],
    ['PROFCLAW_CORS_ORIGINS', 'HTTPS://app.example.com'],
    ['PROFCLAW_CORS_ORIGINS', 'https://user:hidden@app.example.com'],
    ['PROFCLAW_TRUSTED_PROXIES', 'proxy'],
    ['PROFCLAW_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['PROFCLAW_TRUSTED_PROXIES', '10.0.0.0/8,*'],
    ['PROFCLAW_ACCESS_KEY', 'hidden'],
    ['PROFCLAW_USER_LIMIT', '-1'],
    ['PROFCLAW_ADDRESS_LIMIT', 'many'],
    ['DATABASE_URL', 'mysql://x'],
    ['OLLAMA_HOST', 'a b'],
    ['OLLAMA_HOST', 'host:port'],
    ['AZURE_OPENAI_ENDPOINT', 'my-resource'],
    ['AZURE_OPENAI_RESOURCE_NAME', 'evil.com/'],
    ['AZURE_RESOURCE_NAME', 'a b'],
    ['AZURE_OPENAI_DEPLOYMENT_NAME', 'a/b'],
    ['AZURE_OPENAI_API_VERSION', '1&x=2'],
    ['OPENAI_ORGANIZATION', 'a\nb'],
    ['OR_APP_NAME', 'Zürich'],
    ['GROQ_BASE_URL', 'nowhere'],
    ['GROQ_BASE_URL', 'file:///etc/passwd'],
    ['GROQ_BASE_URL', 'https://user:hidden@a.example'],
    ['GROQ_BASE_URL', 'https://a.example/v1?key=hidden'],
    ['GROQ_BASE_URL', 'https://a.example/v1#hidden'],
    ['AZURE_OPENAI_ENDPOINT', 'https://hidden@a.example'],
    ['AZURE_OPENAI_ENDPOINT', 'https://a.example?key=hidden'],
    ['OLLAMA_HOST', 'http://user:hidden@box'],
    ['OLLAMA_HOST', 'user:hidden@box'],
    ['OLLAMA_HOST', 'box/?key=hidden'],
    ['PROFCLAW_API_PACKAGES', 'maybe'],
    ['GROQ_API_KEY', 'two words'],
    ['ANTHROPIC_AUTH_TOKEN', 'a\nb'],
  ])('%s=%j is refused by its name', (name, value) => {
    const [problem, ...others] = problems({ [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}: .`));
    expect(problem).not.toContain('hidden');
    expect(others).toEqual([]);
  });

  it('warns of variables that look like settings with a slip', () => {
    const environment = {
      PROFCLAW_PROVDERS: '{}',
      PROFCLAW_LOGLEVEL: 'x',
      PROFCLAW_FIXTURES: '/x',
      PROVCLAW_HOME: 'y',
    };
    expect(load({ ...environment, PROFCLAW_SECRET_KEY_FILE: file('ab'.repeat(32)) }).warnings).toEqual([
      'PROFCLAW_PROVDERS: there is no such setting; did you mean PROFCLAW_PROVIDERS?',
      'PROFCLAW_LOGLEVEL: there is no such setting; did you mean PROFCLAW_LOG_LEVEL?',
    ]);
    expect(load({ PROFCLAW_CONFIG: file('{}') }).warnings).toEqual([]);
  });

  it('names every wrong value in one message, but no key', () => {
    const secret = 'sk-secret with spaces';
    const environment = {
      PROFCLAW_CORS_ORIGINS: '*',
      PORT: 'x',
      PROFCLAW_LOG_LEVEL: 'x',
      GROQ_BASE_URL: 'x',
      XAI_API_KEY: secret,
    };
    const all = problems({ ...environment, OPENAI_API_KEY_FILE: '/nowhere' });
    expect(all).toHaveLength(6);
    const { message } = new ConfigError(all);
    for (const name of [...Object.keys(environment), 'OPENAI_API_KEY_FILE']) expect(message).toContain(`- ${name}:`);
    expect(message).not.toContain('sk-secret');
  });
});

describe('keys', () => {
  const cases = Object.entries(PROFILES).flatMap(([type, { keyVariables }]) =>
    keyVariables.map((name) => [name, type as VendorType] as const),
  );

  it.each(cases)('%s is a key of %s, also from a file', (name, type) => {
    expect(load({ [name]: 'k' }).providers[type]?.apiKey).toBe('k');
    expect(load({ [name]: ' k\n' }).providers[type]?.apiKey).toBe('k');
    expect(load({ [`${name}_FILE`]: file(' from-file\n') }).providers[type]?.apiKey).toBe('from-file');
    expect(load({ [name]: 'k', [`${name}_FILE`]: '/nowhere' }).providers[type]?.apiKey).toBe('k');
  });

  it('the first variable of a provider wins', () => {
    expect(load({ GEMINI_API_KEY: 'a', GOOGLE_API_KEY: 'b' }).providers.google?.apiKey).toBe('a');
  });

  it('the other secrets come from files too', () => {
    const config = load({
      PROFCLAW_SECRET_KEY_FILE: file(`${'ab'.repeat(32)}\n`),
      DATABASE_URL_FILE: file('postgres://x\n'),
    });
    expect(config).toMatchObject({ secretKey: 'ab'.repeat(32), databaseUrl: 'postgres://x' });
  });

  it('a file that is empty or not there is a problem', () => {
    expect(problems({ GROQ_API_KEY_FILE: '/nowhere', DATABASE_URL_FILE: file(' \n') })).toEqual(
      expect.arrayContaining([
        'GROQ_API_KEY_FILE: "/nowhere" cannot be read',
        expect.stringMatching(/^DATABASE_URL_FILE: .* is empty$/),
      ]),
    );
  });
});

describe('one vendor’s own settings', () => {
  it.each<[string, string]>([
    ['127.0.0.1', 'http://127.0.0.1:11434'],
    ['box', 'http://box:11434'],
    ['box:1234', 'http://box:1234'],
    ['box:80', 'http://box'],
    [':1234', 'http://127.0.0.1:1234'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:1234', 'http://127.0.0.1:1234'],
    ['[::1]', 'http://[::1]:11434'],
    ['[::]:1234', 'http://[::1]:1234'],
    ['box/ollama/', 'http://box:11434/ollama'],
    ['http://box', 'http://box'],
    ['http://box:80', 'http://box'],
    ['http://box:1234/', 'http://box:1234'],
    ['https://box', 'https://box'],
    ['https://box:11434/a/', 'https://box:11434/a'],
  ])('OLLAMA_HOST %s is %s', (OLLAMA_HOST, baseUrl) => {
    expect(load({ OLLAMA_HOST }).providers.ollama).toEqual({ baseUrl });
  });

  it('OLLAMA_BASE_URL goes before OLLAMA_HOST', () => {
    expect(load({ OLLAMA_HOST: 'a', OLLAMA_BASE_URL: 'http://b' }).providers.ollama).toEqual({ baseUrl: 'http://b' });
  });

  it('azure, openai and openrouter', () => {
    const { providers } = load({
      AZURE_OPENAI_ENDPOINT: 'https://r.openai.azure.com',
      AZURE_RESOURCE_NAME: 'r',
      AZURE_OPENAI_DEPLOYMENT_NAME: 'gpt-4o.mine',
      AZURE_OPENAI_API_VERSION: '2024-10-21',
      OPENAI_ORG_ID: 'org-1',
      OPENAI_PROJECT_ID: 'proj_1',
      OR_SITE_URL: 'https://example.com',
      OR_APP_NAME: 'My app',
    });
    expect(providers.azure).toEqual({
      baseUrl: 'https://r.openai.azure.com',
      resourceName: 'r',
      deploymentName: 'gpt-4o.mine',
      apiVersion: '2024-10-21',
    });
    expect(providers.openai).toEqual({ organization: 'org-1', project: 'proj_1' });
    expect(providers.openrouter?.headers).toEqual({ 'http-referer': 'https://example.com', 'x-title': 'My app' });
  });

  it.each(Object.keys(PROFILES) as VendorType[])('%s takes a base URL', (type) => {
    const config = load({ [`${type.toUpperCase()}_BASE_URL`]: 'http://127.0.0.1:1/v1' });
    expect(config.providers[type]?.baseUrl).toBe('http://127.0.0.1:1/v1');
  });
});

describe('the settings file', () => {
  it('gives what the environment does not', () => {
    const PROFCLAW_CONFIG = file('{"PORT": 4000, "PROFCLAW_LOG_LEVEL": "warn", "GROQ_API_KEY": "k"}');
    expect(load({ PROFCLAW_CONFIG })).toMatchObject({
      port: 4000,
      logLevel: 'warn',
      providers: { groq: { apiKey: 'k' } },
    });
    expect(load({ PROFCLAW_CONFIG, PORT: '5000', PROFCLAW_LOG_LEVEL: '' })).toMatchObject({
      port: 5000,
      logLevel: 'warn',
    });
  });

  it('lies in the home folder, and need not be there', () => {
    const home = mkdtempSync(join(folder, 'home-'));
    expect(load({ PROFCLAW_HOME: home }).port).toBe(3000);
    writeFileSync(join(home, 'profclaw.config.json'), '{"PORT": "4001"}');
    expect(load({ PROFCLAW_HOME: home }).port).toBe(4001);
  });

  it('may name files of secrets', () => {
    const PROFCLAW_CONFIG = file(JSON.stringify({ GROQ_API_KEY_FILE: file('k') }));
    expect(load({ PROFCLAW_CONFIG }).providers.groq?.apiKey).toBe('k');
  });

  it('must be a JSON object of known names with text or numbers; all complaints at once', () => {
    const text = '{"PORT": 99999, "PROT": 1, "HOST": true, "PROFCLAW_LOG_LEVEL": null, "constructor": "x"}';
    const found = problems({ PROFCLAW_CONFIG: file(text), GROQ_BASE_URL: 'x' });
    expect(found.map((problem) => problem.split(':')[0]).toSorted()).toEqual(
      ['GROQ_BASE_URL', 'HOST', 'PORT', 'PROFCLAW_LOG_LEVEL', 'PROT', 'constructor'].toSorted(),
    );
    expect(problems({ PROFCLAW_CONFIG: file('[]') })).toEqual([expect.stringMatching(/is not a JSON object$/)]);
    expect(problems({ PROFCLAW_CONFIG: file('{') })).toEqual([expect.stringMatching(/is not a JSON object$/)]);
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    expect(problems({ PROFCLAW_CONFIG: file(`{"PROFCLAW_PROVIDERS": ${deep}}`) })).toEqual([
      expect.stringMatching(/is nested over 30 levels deep$/),
    ]);
    expect(problems({ PROFCLAW_CONFIG: '/nowhere.json' })).toEqual([
      expect.stringMatching(/^PROFCLAW_CONFIG: cannot read/),
    ]);
  });

  it('is not passed over silently when it cannot be read', () => {
    const home = mkdtempSync(join(folder, 'home-'));
    mkdirSync(join(home, 'profclaw.config.json'));
    expect(problems({ PROFCLAW_HOME: home })).toEqual([
      expect.stringMatching(/profclaw\.config\.json: cannot be read$/),
    ]);
  });
});

it.each(['', 'relative'])('with HOME=%j nothing is kept in the current folder', (HOME) => {
  const script = `import(${JSON.stringify(join(import.meta.dirname, 'config.ts'))}).then(({ loadConfig }) => console.log(loadConfig({}).home))`;
  const out = execFileSync(process.execPath, ['-e', script], { cwd: folder, env: { HOME }, encoding: 'utf8' });
  expect(out.trim()).toBe(join(userInfo().homedir, '.profclaw'));
});
