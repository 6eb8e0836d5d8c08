import { setTimeout as sleep } from 'node:timers/promises';
import { type Round, round, type Side } from './load.ts';
import { footprint, type Running, startHelper, startServer } from './processes.ts';
import { type Comparison, median, type Results, report, type WireResult } from './report.ts';
import { type BenchWire, WIRES } from './wires.ts';

const ROUNDS = 5;
const ROUND_SECONDS = 3;
/** The server has ten times the pipe's code for V8 to warm up. */
const WARM_UP_SECONDS = 4;
const NAMES = ['handler', 'pipe', 'profclaw'] as const;
const STARTS = 7;
const REST_MS = 5000;
const WIRE_ROUNDS = 3;
const WIRE_ROUND_SECONDS = 2;
const LIMIT_MS = 290_000;

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const upstream = await startHelper('upstream.ts');
const starts: number[] = [];
for (let i = 0; i < STARTS; i++) starts.push(await timeStart(upstream));

const server = await startServer(upstream.url);
await health(server.url);
await sleep(REST_MS);
const idle = footprint(server.pid);
const pipe = await startHelper('pipe.ts', upstream.url, 'streams');
const handler = await startHelper('pipe.ts', upstream.url, 'handler');
const sides = sidesOf(WIRES[0] as BenchWire);

const whole = await compare('whole answers, 32 at once', false, 32, ROUNDS, ROUND_SECONDS);
const streams = await compare('streams, 64 at once', true, 64, ROUNDS, ROUND_SECONDS);
const single = await compare('whole answers, one at a time', false, 1, 3, 1);
await sleep(REST_MS);
const after = footprint(server.pid);
const wires: WireResult[] = [];
for (const wire of WIRES) wires.push({ name: wire.name, ...(await compareWire(wire)) });
const results: Results = { starts, idle, after, whole, streams, single, wires };
for (const process of [server, pipe, handler, upstream]) await process.stop();
if (!report(results)) process.exitCode = 1;

function sidesOf({ model, path, endMark }: BenchWire): Record<'pipe' | 'handler' | 'profclaw', Side> {
  return {
    pipe: { name: 'pipe', url: pipe.url, pid: pipe.pid, path, model, endMark },
    handler: { name: 'pipe', url: handler.url, pid: handler.pid, path, model, endMark },
    profclaw: {
      name: 'profclaw',
      url: server.url,
      pid: server.pid,
      path: '/api/chat/completions',
      model,
      endMark: '"done":true',
    },
  };
}

/** Streams of one wire, ours and the pipe's in turn. */
async function compareWire(wire: BenchWire): Promise<Pick<Comparison, 'pipe' | 'profclaw'>> {
  const { pipe: a, profclaw: b } = sidesOf(wire);
  for (const side of [a, b]) await round(side, true, 64, WIRE_ROUND_SECONDS);
  const out: Pick<Comparison, 'pipe' | 'profclaw'> = { pipe: [], profclaw: [] };
  for (let i = 0; i < WIRE_ROUNDS; i++) {
    for (const side of i % 2 === 0 ? [a, b] : [b, a])
      out[side.name].push(await round(side, true, 64, WIRE_ROUND_SECONDS));
  }
  console.log(`${wire.name}: profclaw ${median(out.profclaw.map((one) => one.perSecond)).toFixed(0)} chunks/s`);
  return out;
}

/** From the spawn to the first 200 of `/health`, in milliseconds. */
async function timeStart(provider: Running): Promise<number> {
  const began = performance.now();
  const running = await startServer(provider.url);
  await health(running.url);
  const took = performance.now() - began;
  await running.stop();
  return took;
}

async function health(url: string): Promise<void> {
  const answer = await fetch(`${url}/health`);
  if (answer.status !== 200) throw new Error(`/health answers ${answer.status}`);
  await answer.text();
}

/** Rounds of all sides in turn, after a warm-up of each, so that all get the same share of the machine's moods. */
async function compare(
  what: string,
  stream: boolean,
  workers: number,
  rounds: number,
  seconds: number,
): Promise<Comparison> {
  const one = (name: keyof typeof sides, length: number): Promise<Round> => round(sides[name], stream, workers, length);
  if (workers > 1) for (const name of NAMES) await one(name, WARM_UP_SECONDS);
  const comparison: Comparison = { pipe: [], handler: [], profclaw: [] };
  for (let i = 0; i < rounds; i++) {
    // Who goes first changes, so that a machine getting slower or faster favours nobody.
    const order = i % 2 === 0 ? NAMES : NAMES.toReversed();
    for (const name of order) comparison[name].push(await one(name, seconds));
  }
  const [a, b] = [comparison.pipe, comparison.profclaw].map((all) => median(all.map((r) => r.perSecond)).toFixed(0));
  console.log(`${what}: pipe ${a}/s, profclaw ${b}/s`);
  return comparison;
}
