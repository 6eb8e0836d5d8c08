import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Comparison, NAMES, type Name, type Run, report } from './clients-report.ts';
import type { Round, Side } from './load.ts';
import { cpuMs, newFolder, type Running, startHelper, startProgram, startServer } from './processes.ts';
import { socketRound } from './socket-load.ts';

const GATEWAY = '@portkey-ai/gateway@1.15.2';
const GATEWAY_PORT = 38_787;
/** Each with processes of its own: what a process makes of the same code differs a little from the next. */
const RUNS = 3;
const ROUNDS = 5;
const ROUND_SECONDS = 1.5;
/** So long V8 compiles, which is no part of what an answer costs: a server has ten thousand functions for it to find. */
const WARM_UP_SECONDS = { whole: 12, streams: 5 } as const;
const WORKERS = { whole: 32, streams: 64 } as const;
const LIMIT_MS = 480_000;

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const gatewayFolder = newFolder();
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', gatewayFolder, GATEWAY], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const [load = Number.NaN] = loadavg();
const runs: Run[] = [];
for (let i = 0; i < RUNS; i++) {
  runs.push(await run());
  console.log(`run ${i + 1} of ${RUNS} is done`);
}
const method = { gateway: GATEWAY, rounds: ROUNDS, seconds: ROUND_SECONDS, workers: WORKERS, load };
if (!report(runs, method)) process.exitCode = 1;

async function run(): Promise<Run> {
  const upstream = await startHelper('upstream.ts');
  const server = await startServer(upstream.url);
  const gateway = await startGateway();
  const pipe = await startHelper('pipe.ts', upstream.url, 'streams');
  const sides = sidesOf({ upstream, server, gateway, pipe });
  const whole = await compare(sides, 'whole', NAMES, upstream);
  // The gateway cannot stream on this Node: it writes into headers of an answer that undici keeps as they are.
  const streams = await compare(sides, 'streams', ['native', 'wire'], upstream);
  for (const one of [server, gateway, pipe, upstream]) await one.stop();
  return { whole, streams };
}

async function startGateway(): Promise<Running> {
  const program = join(gatewayFolder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const running = await startProgram([program, '--headless', `--port=${GATEWAY_PORT}`], {
    NODE_ENV: 'production',
    TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost',
  });
  // It prints an address with colours around it.
  return { ...running, url: `http://127.0.0.1:${GATEWAY_PORT}` };
}

function sidesOf({
  upstream,
  server,
  gateway,
  pipe,
}: Record<'upstream' | 'server' | 'gateway' | 'pipe', Running>): Record<Name, Side> {
  const common = { name: 'profclaw', url: server.url, pid: server.pid, model: 'openai/gpt-4o-mini' } as const;
  return {
    native: { ...common, path: '/api/chat/completions', endMark: '"done":true' },
    wire: { ...common, path: '/v1/chat/completions', endMark: '[DONE]', isChatForm: true },
    pipe: {
      name: 'pipe',
      isChatForm: true,
      url: pipe.url,
      pid: pipe.pid,
      model: 'gpt-4o-mini',
      path: '/v1/chat/completions',
      endMark: '[DONE]',
    },
    gateway: {
      name: 'profclaw',
      url: gateway.url,
      pid: gateway.pid,
      model: 'gpt-4o-mini',
      path: '/v1/chat/completions',
      endMark: '[DONE]',
      isChatForm: true,
      headers: {
        authorization: 'Bearer x',
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `${upstream.url}/v1`,
      },
    },
  };
}

async function compare(
  sides: Record<Name, Side>,
  what: keyof typeof WORKERS,
  names: readonly Name[],
  upstream: Running,
): Promise<Comparison> {
  const one = (name: Name, seconds: number): Promise<Round> =>
    socketRound(sides[name], what === 'streams', WORKERS[what], seconds);
  for (const name of names) await one(name, WARM_UP_SECONDS[what]);
  const rounds: Comparison['rounds'] = { native: [], wire: [], gateway: [], pipe: [] };
  const before = { load: process.cpuUsage(), vendor: cpuMs(upstream.pid), at: performance.now() };
  for (let i = 0; i < ROUNDS; i++) {
    // Who goes first changes, so that a machine getting slower or faster favours nobody.
    const order = i % 2 === 0 ? names : names.toReversed();
    for (const name of order) rounds[name].push(await one(name, ROUND_SECONDS));
  }
  const ms = performance.now() - before.at;
  const load = process.cpuUsage(before.load);
  const cores = { load: (load.user + load.system) / 1000 / ms, vendor: (cpuMs(upstream.pid) - before.vendor) / ms };
  return { rounds, cores };
}
