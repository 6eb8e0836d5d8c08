// A node of its own for the tests: says what it does on standard output, and does what it is told on standard input.
import { createInterface } from 'node:readline';
import pino from 'pino';
import { openEngine } from '../../src/agent/engine/openworkflow.ts';
import { openPostgresWaker } from '../../src/storage/postgres-waker.ts';
import { localWaker } from '../../src/storage/waker.ts';

const { databaseUrl, file, leaseMs, ends = false } = JSON.parse(process.argv[2] ?? '{}');
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const log = pino({ level: 'silent' });
const waker = databaseUrl === undefined ? localWaker() : await openPostgresWaker(databaseUrl, log);
const engine = await openEngine({ databaseUrl, file, waker, log, leaseMs });
const go = Promise.withResolvers<void>();
if (ends) go.resolve();
const lines = createInterface(process.stdin);
lines.on('line', (line) => {
  if (line === 'go') return go.resolve();
  // Nothing of what is open now may keep the process alive afterwards: it is not ended.
  lines.close();
  process.stdin.destroy();
  void engine
    .stop()
    .then(() => waker.close())
    .then(() => say('stopped'));
});
engine.start(async ({ run, pass }) => {
  say(`began ${run} ${pass}`);
  await go.promise;
  say(`did ${run} ${pass}`);
});
say('ready');
