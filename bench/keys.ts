import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../test/storage/embedded-postgres.ts';
import { type Round, round, type Side } from './load.ts';
import { type Running, startHelper, startServer } from './processes.ts';
import { median } from './report.ts';

const ROUNDS = 12;
const ROUND_SECONDS = 1.5;
const WARM_UP_SECONDS = 3;
const WORKERS = 32;
/** What is left of the requests a second when each has a key that is checked. */
const TARGET = 0.95;
const LIMIT_MS = 280_000;
const NAMES = ['none', 'key', 'limited'] as const;

type Name = (typeof NAMES)[number];
type Rounds = Record<Name, Round[]>;

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();

const upstream = await startHelper('upstream.ts');
const sqlite = await measure({});
const postgres = await startPostgres();
const DATABASE_URL = await postgres.newDatabase();
const distributed = await measure({ DATABASE_URL }).finally(() => postgres.stop());
await upstream.stop();
if (!report({ SQLite: sqlite, PostgreSQL: distributed })) process.exitCode = 1;

/** Whole answers without a credential (local mode), with a key, and with one that has a rate limit and a budget, in turn. */
async function measure(environment: Record<string, string>): Promise<Rounds> {
  const server = await startServer(upstream.url, { environment });
  const limits = { rateLimit: 1_000_000, budget: { tokens: 1e12, usd: 1_000_000 } };
  const sides: Record<Name, Side> = {
    none: side(server),
    key: side(server, await makeKey(server.url, {})),
    limited: side(server, await makeKey(server.url, limits)),
  };
  for (const name of NAMES) await round(sides[name], false, WORKERS, WARM_UP_SECONDS);
  const out: Rounds = { none: [], key: [], limited: [] };
  for (let i = 0; i < ROUNDS; i++) {
    const order = i % 2 === 0 ? NAMES : NAMES.toReversed();
    for (const name of order) out[name].push(await round(sides[name], false, WORKERS, ROUND_SECONDS));
  }
  await server.stop();
  return out;
}

function side({ url, pid }: Running, secret?: string): Side {
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  return {
    name: 'profclaw',
    url,
    pid,
    path: '/api/chat/completions',
    model: 'openai/gpt-4o-mini',
    endMark: '',
    headers,
  };
}

async function makeKey(url: string, limits: object): Promise<string> {
  const answer = await fetch(`${url}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['chat'], ...limits }),
  });
  if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { secret: string }).secret;
}

/** Writes KEYS.md. False if the target was missed: on SQLite, where the other bench is measured too. */
function report(results: Record<'SQLite' | 'PostgreSQL', Rounds>): boolean {
  const isFine = ratio(results.SQLite, 'key') >= TARGET;
  const text = `# What a key costs

- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, node ${process.version}
- ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB
- To repeat: \`npm run bench:keys\`. Whole answers, ${WORKERS} at once, ${ROUNDS} rounds of each kind in turn; a ratio is the
  median of the ratios of the rounds beside each other.

| | no credential (local mode) | an API key | one with a rate limit and a budget |
| --- | --- | --- | --- |
${Object.entries(results).map(row).join('\n')}

Target: with a key at least ${TARGET} of the requests a second without, on SQLite: ${isFine ? 'pass' : '**miss**'}.
`;
  writeFileSync(join(import.meta.dirname, 'KEYS.md'), text);
  console.log(text);
  return isFine;
}

function row([name, rounds]: [string, Rounds]): string {
  const cells = NAMES.map((kind) => {
    const { perSecond, cpuMs } = {
      perSecond: median(rounds[kind].map((one) => one.perSecond)),
      cpuMs: median(rounds[kind].map((one) => one.cpuMs)),
    };
    const part = kind === 'none' ? '' : `: **${ratio(rounds, kind).toFixed(3)}**`;
    return `${Math.round(perSecond).toLocaleString('en')}/s${part} (${cpuMs.toFixed(3)} ms of a processor)`;
  });
  return `| ${name} | ${cells.join(' | ')} |`;
}

function ratio(rounds: Rounds, kind: Name): number {
  return median(rounds[kind].map((one, i) => one.perSecond / (rounds.none[i]?.perSecond ?? Number.NaN)));
}
