import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Round, round, type Side } from './load.ts';
import { newFolder, type Running, startHelper, startProgram, startServer } from './processes.ts';
import { median } from './report.ts';

const GATEWAY = '@portkey-ai/gateway@1.15.2';
const GATEWAY_PORT = 38_787;
const ROUNDS = 7;
const ROUND_SECONDS = 2;
const WARM_UP_SECONDS = 3;
const WORKERS = { whole: 32, streams: 64 } as const;
/** What `/v1/chat/completions` gives of our own `completions`, and how often it gives the gateway's. */
const TARGETS = { native: 0.9, gateway: 6 };
const LIMIT_MS = 290_000;
const NAMES = ['native', 'wire', 'gateway'] as const;

type Name = (typeof NAMES)[number];
type Rounds = Record<Name, Round[]>;

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();

const gatewayFolder = newFolder();
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', gatewayFolder, GATEWAY], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const upstream = await startHelper('upstream.ts');
const server = await startServer(upstream.url);
const gateway = await startGateway();
const sides = sidesOf();
const whole = await compare(false, NAMES);
// The gateway cannot stream on this Node: it writes into headers of an answer that undici keeps as they are.
const streams = await compare(true, ['native', 'wire']);
for (const process of [server, gateway, upstream]) await process.stop();
if (!report()) process.exitCode = 1;

async function startGateway(): Promise<Running> {
  const program = join(gatewayFolder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const running = await startProgram([program, '--headless', `--port=${GATEWAY_PORT}`], {
    NODE_ENV: 'production',
    TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost',
  });
  // It prints an address with colours around it.
  return { ...running, url: `http://127.0.0.1:${GATEWAY_PORT}` };
}

function sidesOf(): Record<Name, Side> {
  const common = { name: 'profclaw', url: server.url, pid: server.pid, model: 'openai/gpt-4o-mini' } as const;
  return {
    native: { ...common, path: '/api/chat/completions', endMark: '"done":true' },
    wire: { ...common, path: '/v1/chat/completions', endMark: '[DONE]', isChatForm: true },
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

async function compare(isStreamed: boolean, names: readonly Name[]): Promise<Rounds> {
  const workers = isStreamed ? WORKERS.streams : WORKERS.whole;
  for (const name of names) await round(sides[name], isStreamed, workers, WARM_UP_SECONDS);
  const out: Rounds = { native: [], wire: [], gateway: [] };
  for (let i = 0; i < ROUNDS; i++) {
    const order = i % 2 === 0 ? names : names.toReversed();
    for (const name of order) out[name].push(await round(sides[name], isStreamed, workers, ROUND_SECONDS));
  }
  return out;
}

/** Of rounds that stand beside each other, the middle one counts. */
function ratio(rounds: Rounds, other: Name): number {
  return median(rounds.wire.map((one, index) => one.perSecond / (rounds[other][index]?.perSecond ?? Number.NaN)));
}

function row(what: string, rounds: Rounds): string {
  const cells = NAMES.map((name) => {
    if (rounds[name].length === 0) return '–';
    const perSecond = median(rounds[name].map((one) => one.perSecond)).toFixed(0);
    const cpu = median(rounds[name].map((one) => one.cpuMs)).toFixed(3);
    return `${perSecond}/s, ${cpu} ms of a processor each`;
  });
  return `| ${what} | ${cells.join(' | ')} | ${ratio(rounds, 'native').toFixed(2)} | ${rounds.gateway.length > 0 ? ratio(rounds, 'gateway').toFixed(1) : '–'} |`;
}

/** Writes CLIENTS.md. False if a target was missed. */
function report(): boolean {
  const isFine =
    ratio(whole, 'native') >= TARGETS.native &&
    ratio(streams, 'native') >= TARGETS.native &&
    ratio(whole, 'gateway') >= TARGETS.gateway;
  const [cpu] = cpus();
  const text = `# What another client's wire costs

\`npm run bench:clients\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} cores (${cpu?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB. Medians of ${ROUNDS} rounds
of ${ROUND_SECONDS} s in alternating order; a ratio is taken between rounds that stand beside each other. The gateway is ${GATEWAY},
installed for this run, with the same provider behind it. It does not stream on this Node (TypeError: immutable).

| | \`/api/chat/completions\` | \`/v1/chat/completions\` | gateway | of native (>= ${TARGETS.native}) | times the gateway (whole: >= ${TARGETS.gateway}) |
|---|---|---|---|---|---|
${row(`Whole answers, ${WORKERS.whole} at once`, whole)}
${row(`Streams of 500 chunks, ${WORKERS.streams} at once, chunks`, streams)}

${isFine ? 'All targets are met.' : 'A target was MISSED.'}
`;
  writeFileSync(join(import.meta.dirname, 'CLIENTS.md'), text);
  console.log(text);
  return isFine;
}
