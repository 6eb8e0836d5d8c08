import { createServer } from 'node:net';
import type { Config } from '../../config.ts';
import { tryParseJson } from '../../core/json.ts';
import type { OpenParts } from './database.ts';
import { type Finding, failed, none, ok, reasonOf, warning } from './finding.ts';

const LIMIT_MS = 3000;

/** Whether a server runs where it should, and who could come in. */
export async function examineServer(config: Config, credentials: OpenParts['credentials']): Promise<Finding[]> {
  const { host, port } = config;
  const found = port === 0 ? none('port', 'any free one (PORT is 0)') : await examinePort(host, port);
  const isRunning = found.standing === 'ok' && found.name === 'server';
  const asked = isRunning ? [await examineDoor(config, credentials)] : [];
  return [found, ...asked, ...examineAccess(config, credentials)];
}

/** Where a server that listens on every address is reached from here. */
function addressOf(host: string, port: number): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}

async function examinePort(host: string, port: number): Promise<Finding> {
  const url = addressOf(host, port);
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(LIMIT_MS), redirect: 'manual' });
    const isOurs = answer.headers.has('x-request-id') && isHealth(await answer.text());
    if (isOurs) return ok('server', `a profclaw answers at ${url}`);
    return failed('port', `another program answers at ${url}`, 'end it, or set PORT to another one');
  } catch {
    return await examineFreePort(host, port);
  }
}

function isHealth(text: string): boolean {
  const value = tryParseJson(text);
  return typeof value === 'object' && value !== null && 'status' in value && value.status === 'ok';
}

async function examineFreePort(host: string, port: number): Promise<Finding> {
  const problem = await new Promise<unknown>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
  if (problem === undefined) return ok('port', `${port} is free on ${host}; no server runs there`);
  const code = problem instanceof Error && 'code' in problem ? problem.code : '';
  if (code === 'EADDRINUSE')
    return failed('port', `${port} is taken on ${host} by a program that does not answer`, 'end it, or set PORT');
  if (code === 'EADDRNOTAVAIL') return failed('port', `this machine has no address ${host}`, 'set HOST to one it has');
  if (code === 'EACCES') return failed('port', `${port} needs more rights than you have`, 'set PORT to one above 1023');
  return failed('port', `cannot listen on ${host}:${port}: ${reasonOf(problem)}`, 'set HOST and PORT to others');
}

/** Knocks without a credential. */
async function examineDoor({ host, port, access }: Config, credentials: OpenParts['credentials']): Promise<Finding> {
  const url = `${addressOf(host, port)}/api/chat/providers`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
  await answer.body?.cancel();
  const isOpen = answer.ok;
  const shouldLock = access.isReachable || credentials?.hasAccounts || credentials?.hasAccessKey;
  if (isOpen && shouldLock)
    return failed(
      'door',
      'the server answers without a login, though these settings and this database would lock it',
      'it was started with others: restart it with these',
    );
  return ok('door', isOpen ? 'open to this machine' : 'locked: everybody needs a login or a key');
}

function examineAccess({ host, access }: Config, credentials: OpenParts['credentials']): Finding[] {
  const isLocked = access.accessKey !== undefined || credentials?.hasAccounts || credentials?.hasAccessKey;
  if (!access.isReachable) {
    const who = isLocked ? 'with a login or a key' : 'which act as the owner, as there are no accounts';
    return [ok('access', `only programs of this machine can connect, ${who}`)];
  }
  if (!isLocked)
    return [
      failed(
        'access',
        `other machines can connect (HOST ${host}), and nothing would keep strangers out: it does not start so`,
        'set PROFCLAW_ACCESS_KEY (openssl rand -hex 16 makes one), or HOST=127.0.0.1',
      ),
    ];
  const locked = ok('access', `other machines can connect (HOST ${host}), with a login or a key`);
  if (access.isHttps || access.trustedProxies.length > 0) return [locked];
  const fix = 'put a proxy with https before it, and set PROFCLAW_PUBLIC_URL and PROFCLAW_TRUSTED_PROXIES';
  return [locked, warning('https', 'passwords and keys would cross the network as plain text', fix)];
}
