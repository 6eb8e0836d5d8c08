import { z } from 'zod';
import { isObject, tryParseJson } from '../../core/json.ts';

/** So many servers are enough for anybody; each is a process or a connection. */
export const MAX_MCP_SERVERS = 50;

const MAX_ENTRIES = 50;
const MAX_ARGUMENTS = 100;
const text = (max: number): z.ZodString =>
  z
    .string()
    .max(max, `must be at most ${max} characters`)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must not contain NUL or half a surrogate');

/** A server's name is a part of its tools' names: without `__`, which parts them. */
export const McpServerName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9-]|_(?!_)){0,30}(?<!_)$/,
    'must be letters, digits, - and single _, up to 31 characters',
  );

const EnvironmentName = z.string().regex(/^[A-Za-z_]\w{0,199}$/, 'must be the name of a variable');

/** Headers that frame the message or are the protocol's own. */
const OWN_HEADERS =
  /^(host|content-length|content-type|content-encoding|accept|accept-encoding|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|mcp-.*|last-event-id)$/i;
const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of an HTTP header')
  .refine((name) => !OWN_HEADERS.test(name), 'is set by the server itself');
const HeaderValue = text(8192).regex(/^[\x20-\x7e\t]*$/, 'must be printable ASCII');

const fewEntries = (value: object): boolean => Object.keys(value).length <= MAX_ENTRIES;
const FEW_ENTRIES = `must be at most ${MAX_ENTRIES}`;

const ServerUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(2000)
  .refine(
    (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
    'must not hold a name or password; use headers',
  )
  .refine((url) => !url.includes('#'), 'must not have a hash');

/** What can be set for any server. Times in seconds. */
const COMMON = {
  enabled: z.boolean(),
  tools: z.array(text(200)).max(500).describe('Only these of its tools, by the server’s own names'),
  levels: z
    .record(text(200), z.enum(['safe', 'moderate', 'dangerous']))
    .refine((levels) => Object.keys(levels).length <= 500, 'must be at most 500')
    .describe('Levels of single tools, by the server’s own names, in place of what it says of them'),
  timeout: z
    .number()
    .min(1)
    .max(3600)
    .describe('Seconds that a call may take without a sign of progress; 60 if absent'),
};

/** A program that speaks over its standard input and output. */
const STDIO = {
  command: text(1000).min(1, 'must not be empty').describe('A program, by its name or path; no shell reads it'),
  args: z.array(text(10_000)).max(MAX_ARGUMENTS),
  env: z.record(EnvironmentName, text(10_000)).refine(fewEntries, FEW_ENTRIES),
  cwd: text(1000).regex(/^\//, 'must be an absolute path'),
};

/** A server that is reached over HTTP. */
const HTTP = {
  url: ServerUrl,
  headers: z.record(HeaderName, HeaderValue).refine(fewEntries, FEW_ENTRIES),
};

/** Every field that a server may have. */
export const MCP_SERVER_SHAPE = { ...STDIO, ...HTTP, ...COMMON };

const Common = z.strictObject(COMMON).partial();
const StdioServer = Common.extend({
  type: z.literal('stdio').optional(),
  command: STDIO.command,
  args: STDIO.args.default([]),
  env: STDIO.env.default({}),
  cwd: STDIO.cwd.optional(),
});
const HttpServer = Common.extend({
  type: z.enum(['http', 'streamable-http']).optional(),
  url: HTTP.url,
  headers: HTTP.headers.default({}),
});

/** A server as it is used; `env` and `headers` hold credentials. */
export type StdioServerConfig = z.output<typeof StdioServer>;
export type HttpServerConfig = z.output<typeof HttpServer>;
export type McpServerConfig = StdioServerConfig | HttpServerConfig;

/** Is it a program that is started on this machine? */
export function isStdio(config: McpServerConfig): config is StdioServerConfig {
  return 'command' in config;
}

/** One problem of a server's settings. */
export interface ConfigProblem {
  path: string;
  message: string;
}

/** Reads what somebody has written of a server. The problems show no value. */
export function parseMcpServer(written: unknown): { config: McpServerConfig } | { problems: ConfigProblem[] } {
  const has = isObject(written) ? ['command', 'url'].filter((field) => written[field] !== undefined) : [];
  if (has.length !== 1) {
    const message = has.length === 0 ? 'must have a command (a program) or a url' : 'has both a command and a url';
    return { problems: [{ path: '', message }] };
  }
  const parsed = has[0] === 'command' ? StdioServer.safeParse(written) : HttpServer.safeParse(written);
  return parsed.success ? { config: parsed.data } : { problems: parsed.error.issues.flatMap(problemsOf) };
}

function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'there is no such setting here' }));
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ path: path.join('.'), message }];
}

/**
 * Reads `PROFCLAW_MCP_SERVERS`: a JSON object of servers by name, or such an object under `mcpServers`, as other clients
 * have it. `${NAME}` in a value of `env` or `headers` stands for a variable. No problem that it names shows a value.
 * @param secret gives the value of a variable or of the file that it names; undefined if there is none.
 * @param problems takes a line for everything that is wrong.
 */
export function readMcpServers(
  written: string,
  secret: (variable: string) => string | undefined,
  problems: string[],
): Record<string, McpServerConfig> {
  const all = unwrapped(tryParseJson(written));
  const complain = (path: string, message: string): void => {
    problems.push(`PROFCLAW_MCP_SERVERS: ${path === '' ? '' : `${path}: `}${message}`);
  };
  if (!isObject(all)) {
    complain('', 'must be a JSON object like {"docs": {"url": "https://…"}, "files": {"command": "npx", "args": […]}}');
    return {};
  }
  const names = Object.keys(all);
  if (names.length > MAX_MCP_SERVERS) complain('', `has over ${MAX_MCP_SERVERS} servers`);
  const servers: Record<string, McpServerConfig> = {};
  for (const name of names.slice(0, MAX_MCP_SERVERS)) {
    const { error } = McpServerName.safeParse(name);
    if (error) {
      complain(JSON.stringify(name), `the name ${error.issues[0]?.message}`);
      continue;
    }
    const read = parseMcpServer(all[name]);
    if ('problems' in read) {
      for (const { path, message } of read.problems)
        complain([name, path].filter((part) => part !== '').join('.'), message);
    } else servers[name] = withVariables(read.config, secret, (path, message) => complain(`${name}.${path}`, message));
  }
  return servers;
}

function unwrapped(value: unknown): unknown {
  return isObject(value) && Object.keys(value).length === 1 && isObject(value.mcpServers) && !value.mcpServers.command
    ? value.mcpServers
    : value;
}

function withVariables(
  config: McpServerConfig,
  secret: (variable: string) => string | undefined,
  complain: (path: string, message: string) => void,
): McpServerConfig {
  const fill = (field: string, values: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const filled = value.replaceAll(/\$\{([A-Za-z_]\w{0,199})\}/g, (_, name: string) => {
          const found = secret(name)?.trim();
          if (found === undefined) complain(`${field}.${key}`, `neither ${name} nor ${name}_FILE gives a value`);
          return found ?? '';
        });
        if (field === 'headers' && !HeaderValue.safeParse(filled).success)
          complain(`${field}.${key}`, 'holds characters that no header has');
        return [key, filled];
      }),
    );
  return isStdio(config)
    ? { ...config, env: fill('env', config.env) }
    : { ...config, headers: fill('headers', config.headers) };
}

/** Names of variables whose values are secret, whatever these look like. */
const SECRET_NAME = /key|token|secret|pass|auth|cred|private|cookie|session/i;
/** What is no secret by its look: words, numbers, paths. */
const PLAIN_VALUE = /^([a-z]+|[\d.]{1,12}|[.~]?\/\S*)$/i;
/** Headers that say who calls, and how. */
const PLAIN_HEADER = /^(user-agent|accept-language|origin|referer|x-client-.*|.*version)$/i;

/**
 * What must not be seen of a server: values of its environment and headers, but for plain ones, which texts that have
 * nothing to do with it are full of; and the query of its address.
 */
export function secretsOfMcpServer(config: McpServerConfig): string[] {
  if (isStdio(config)) {
    const secret = Object.entries(config.env).filter(([name, value]) => SECRET_NAME.test(name) || !isPlain(value));
    return secret.flatMap(([, value]) => [value, ...passwordOf(value)]);
  }
  const headers = Object.entries(config.headers).flatMap(([name, value]) => (PLAIN_HEADER.test(name) ? [] : [value]));
  // `Bearer abc`: the token alone, too.
  const tokens = headers.flatMap((value) => /^\S+\s+(\S+)$/.exec(value)?.[1] ?? []);
  return [...headers, ...tokens, ...new URL(config.url).searchParams.values()];
}

function isPlain(value: string): boolean {
  const url = URL.parse(value);
  if (url && /^https?:$/.test(url.protocol)) return url.password === '' && url.username === '' && url.search === '';
  return PLAIN_VALUE.test(value);
}

function passwordOf(value: string): string[] {
  const password = URL.parse(value)?.password ?? '';
  return password === '' ? [] : [password];
}

/** The address without its query, which may hold a key. */
export function shownUrl({ url }: HttpServerConfig): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}
