// Many runs under fire, and then one long answer, on one database or both:
// node test/chaos/run.ts [sqlite|postgres|both] [runs] [seed]
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { usualSuite } from './presets.ts';
import { runStream } from './stream.ts';
import { runSuite } from './suite.ts';

const [which = 'both', runs = '100', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const STREAM = { deltas: 2000, cuts: 50, kills: 10 };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function suite(name: string, postgres?: PostgresServer): Promise<void> {
  const began = performance.now();
  const databaseUrl = await postgres?.newDatabase();
  const cut = postgres && databaseUrl ? () => postgres.endConnections(databaseUrl) : undefined;
  const ground = { databaseUrl, seed: Number(seed), runs: Number(runs), faults: Math.ceil(Number(runs) / 5), cut };
  const { violations, counts, faults, folder } = await runSuite(usualSuite(ground));
  say(`${name}: seed ${seed}, ${seconds(began)} s, ${JSON.stringify(counts)}`);
  if (violations.length === 0) return;
  process.exitCode = 1;
  say(`  faults: ${faults.join('; ')}`);
  say(`  logs${databaseUrl === undefined ? ' and state' : ''}: ${folder}`);
  for (const violation of violations) say(`  VIOLATION ${violation}`);
}

async function stream(name: string, postgres?: PostgresServer): Promise<void> {
  const began = performance.now();
  const databaseUrl = await postgres?.newDatabase();
  const { received, stored, ids, ...counts } = await runStream({ ...STREAM, databaseUrl, seed: Number(seed) });
  const isWhole = Buffer.from(received).equals(Buffer.from(stored)) && ids.every((id, index) => id === index + 1);
  say(`${name}: an answer of ${stored.length} bytes, ${seconds(began)} s, ${JSON.stringify(counts)}`);
  if (isWhole && stored.split(' ').length === STREAM.deltas + 1) return;
  process.exitCode = 1;
  say(`  VIOLATION ${received.length} bytes were received, in ${ids.length} events`);
}

function seconds(began: number): number {
  return Math.round((performance.now() - began) / 1000);
}

if (which !== 'postgres') {
  await suite('sqlite');
  await stream('sqlite');
}
if (which !== 'sqlite') {
  const postgres = await startPostgres();
  await suite('postgres', postgres);
  await stream('postgres', postgres);
  await postgres.stop();
}
process.exit();
