import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { execTool } from '../../src/tools/builtin/exec.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import type { SandboxResult } from '../../src/tools/sandbox/sandbox.ts';
import type { Grant, SecurityMode } from '../../src/tools/tool.ts';
import { ONLY_SANDBOX, testFolder, toolContext } from './rig.ts';

const exec = execTool(ONLY_SANDBOX);

const sandbox = await findSandbox();
const isPossible = sandbox !== undefined && existsSync('/usr/bin/curl');
const skipped = isPossible ? '' : ' (skipped: bwrap or curl is not installed, or does not work here)';

async function run(command: string, hostRule: Grant['hostRule']): Promise<SandboxResult> {
  const { signal } = new AbortController();
  return await sandbox!.run({
    command,
    workspace: testFolder(),
    isReadOnly: false,
    hostRule,
    signal,
    timeoutMs: 20_000,
  });
}

/** A server on loopback that says what it was asked. */
async function listen(): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    const { host, connection } = request.headers;
    seen.push(`${request.method} ${request.url}`);
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      response.writeHead(201, { 'x-answer': 'yes' });
      response.end(
        `${request.method} ${request.url} ${host} ${request.headers['proxy-connection'] ?? connection} ${body}\n`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, seen };
}

/** Loopback is not for the proxy unless curl is told so. */
const CURL = "curl -sS --noproxy '' --max-time 10";

describe.skipIf(!isPossible)(`the network of a command${skipped}`, () => {
  it('is that of hosts which a rule names', async () => {
    const { port } = await listen();
    const asked: [string, number][] = [];
    const rule: Grant['hostRule'] = (host, at) => {
      asked.push([host, at]);
      return at === port ? 'exact' : undefined;
    };
    const url = `http://localhost:${port}`;
    const { output, refusals } = await run(
      `${CURL} '${url}/a?b=1' && ${CURL} -d body -i ${url}/c && ${CURL} -p ${url}/tunnel`,
      rule,
    );
    expect(output).toContain(`GET /a?b=1 localhost:${port} close`);
    expect(output).toMatch(/HTTP\/1.1 201 Created\r\nx-answer: yes/);
    expect(output).toContain(`POST /c localhost:${port} close body`);
    expect(output).toContain(`GET /tunnel localhost:${port}`);
    expect(refusals).toBeUndefined();
    expect(asked).toEqual([
      ['localhost', port],
      ['localhost', port],
      ['localhost', port],
    ]);
  });

  it.each([
    ['no rule names it', undefined, 'No rule allows commands to reach'],
    ['a rule denies it', 'deny', 'A rule denies commands the host'],
    ['it is private and named by a wildcard', 'allow', 'only reached if a rule names that host without a wildcard'],
  ] as const)('is closed where %s, and says so', async (_, rule, why) => {
    const { port, seen } = await listen();
    const url = `http://localhost:${port}`;
    const result = await run(`${CURL} ${url}/a; ${CURL} -p ${url}/b; ${CURL} http://127.1:${port}/`, () => rule);
    expect(result.output).toContain(why);
    expect(result.output).toContain('403');
    expect(result.refusals?.[0]).toContain(why);
    expect(result.refusals).toHaveLength(2);
    expect(seen).toEqual([]);
  });

  it('knows a host by its one name, however it is written', async () => {
    const asked: string[] = [];
    const hosts = ['2130706433', '0x7f.1', 'LOCALHOST', '%6cocalhost', '[::ffff:7f00:1]'];
    await run(
      hosts.map((host) => `${CURL} -g http://${host}:9/; ${CURL} -g -p http://${host}:9/`).join('\n'),
      (host) => {
        asked.push(host);
        return undefined;
      },
    );
    expect(asked.length).toBeGreaterThanOrEqual(8);
    expect([...new Set(asked)].sort()).toEqual(['127.0.0.1', '[::ffff:7f00:1]', 'localhost']);
  });

  it('never leads to the metadata of a cloud', async () => {
    const { output } = await run(`${CURL} http://metadata.invalid/; ${CURL} http://169.254.169.254/`, () => 'allow');
    expect(output).toContain('could not be found');
    expect(output).toContain("cloud's metadata service");
  });

  it('has no other way out', async () => {
    const { port, seen } = await listen();
    const tries = [
      `curl -sS --noproxy '*' --max-time 2 http://127.0.0.1:${port}/direct`,
      `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected'`,
      `${CURL} --proxy '' http://localhost:${port}/`,
      `bash -c 'exec 3<>/dev/udp/1.1.1.1/53 && echo x >&3 && echo sent'`,
      'getent hosts example.com && echo resolved',
      'ls /etc/resolv.conf && echo resolver',
    ];
    const { output } = await run(tries.join('\n'), () => 'exact');
    for (const word of ['connected', 'sent', 'resolved', 'resolver'])
      expect(output).not.toMatch(new RegExp(`^${word}$`, 'm'));
    expect(seen).toEqual([]);
  });

  it('takes no requests but those of a proxy', async () => {
    const proxy = 'http://127.0.0.1:3128';
    const lines = [`${CURL} --proxy '' ${proxy}/a`, `${CURL} --proxy '' -X CONNECT --request-target nowhere ${proxy}`];
    const { output } = await run(lines.join('\n'), () => 'exact');
    expect(output).toContain('This is a proxy for http URLs');
    expect(output).toContain('is not a host and a port');
  });

  it('gives the exit code of the command, and ends with it', async () => {
    const ends: number[] = [];
    const server = createTcp((socket) => {
      socket.on('error', () => undefined).on('close', () => ends.push(1));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const rule: Grant['hostRule'] = () => 'exact';
    const open = `curl -sNp --noproxy '' http://127.0.0.1:${port}/ & sleep 1; kill -TERM $$`;
    expect(await run(open, rule)).toMatchObject({ exitCode: 143 });
    await expect.poll(() => ends.length).toBe(1);
    expect(await run('exit 7', rule)).toMatchObject({ exitCode: 7 });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('profclaw-network-'))).toEqual([]);
  });

  it('is there for exec if a rule allows hosts, and never in the mode sandbox', async () => {
    const { port } = await listen();
    const grant: Grant = { opensSecret: () => false, hidesPath: () => false, hostRule: () => 'exact', hasHosts: true };
    const command = `${CURL} http://localhost:${port}/; ${CURL} http://none.invalid/`;
    const texts: Partial<Record<SecurityMode, string>> = {};
    for (const mode of ['full', 'sandbox'] as const)
      texts[mode] = (await exec.run({ command }, toolContext({ mode, grant }))).text;
    expect(texts.full).toContain('GET / localhost');
    expect(texts.full).toContain('[network: The host "none.invalid" could not be found');
    expect(texts.sandbox).not.toContain('GET /');
    const without = await exec.run({ command }, toolContext({ mode: 'full', grant: { ...grant, hasHosts: false } }));
    expect(without.text).not.toContain('GET /');
  });
});
