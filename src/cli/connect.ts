import { RequestError, type Server, sendJson } from '../client/client.ts';
import type { Config } from '../config.ts';
import { inCommands } from './chat-error.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** How long a server may take to say that it is one, in milliseconds. */
const PROBE_MS = 10_000;

/** Where the command's requests go. */
export interface Connection {
  server: Server;
  /** It is one inside this process, which ends with the command. */
  isOwn: boolean;
  /** Lets go of the server, and stops one's own in order. */
  close(): Promise<void>;
}

/** What `GET /api/auth/status` tells. */
interface AccessStatus {
  mode: 'local' | 'locked';
}

/**
 * Finds the server for a command: the one that is named (`--server`, else PROFCLAW_URL), else one that runs where these
 * settings say, else one of its own inside this process.
 * @param options.server an http or https URL. @throws CommandError for a person, with what to do.
 */
export async function connect(
  terminal: Pick<Terminal, 'config' | 'error'>,
  options: { server?: string | undefined } = {},
): Promise<Connection> {
  const config = terminal.config();
  const named = options.server === undefined ? config.client.url : readUrl(options.server);
  if (named !== undefined) {
    const status = await probe(named);
    if (typeof status === 'string')
      throw new CommandError(
        status === 'silent'
          ? `Nothing answers at ${named}. Start the server there (profclaw serve), or leave --server and PROFCLAW_URL away to do without one.`
          : `What answers at ${named} is not profclaw. Check the address (--server or PROFCLAW_URL).`,
      );
    return await admitted(named, status, config);
  }
  const usual = usualUrl(config);
  const status = config.port === 0 ? 'silent' : await probe(usual);
  if (typeof status !== 'string') return await admitted(usual, status, config);
  const { startOwnServer } = await import('./connect-own-server.ts');
  return await startOwnServer(config);
}

function readUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new CommandError(`--server must be an http or https URL, not ${JSON.stringify(text)}`, EXIT.wrongUse);
  return text.replace(/\/+$/, '');
}

function usualUrl({ host, port }: Config): string {
  const name = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${name}:${port}`;
}

/** Is there a profclaw, and who may call it? `silent`: nobody answers; `other`: somebody else. */
async function probe(url: string): Promise<AccessStatus | 'silent' | 'other'> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const status = await sendJson<AccessStatus>({ url }, '/api/auth/status', { signal });
    return ['local', 'locked'].includes(status.mode) ? status : 'other';
  } catch (error) {
    return error instanceof RequestError && error.status > 0 ? 'other' : 'silent';
  }
}

async function admitted(url: string, { mode }: AccessStatus, { client }: Config): Promise<Connection> {
  const { apiKey } = client;
  if (mode === 'locked' && apiKey === undefined)
    throw new CommandError(
      `The server at ${url} lets nobody in without a key. Make one in its page (Settings, Keys) and set PROFCLAW_API_KEY to it.`,
    );
  const server: Server = { url, ...(apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } }) };
  if (apiKey !== undefined) await requireKnown(server);
  return { server, isOwn: false, close: () => Promise.resolve() };
}

async function requireKnown(server: Server): Promise<void> {
  try {
    await sendJson(server, '/api/auth/me');
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 401) throw error;
    const { hint } = error.details;
    const why = typeof hint === 'string' ? `: ${inCommands(hint)}` : '';
    throw new CommandError(`The server at ${server.url} does not take the key of PROFCLAW_API_KEY${why}`);
  }
}
