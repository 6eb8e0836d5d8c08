// A server of the chaos suite: the real one, with tools whose effects are counted. It does what it is ordered to by the
// process that has started it, and ends with that.
import { mkdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import pino from 'pino';
import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/http/server.ts';
import { INTERFACE } from '../../src/interface.ts';
import { openServices } from '../../src/open-services.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openSecretKey } from '../../src/storage/rotation.ts';
import { startSweep } from '../../src/sweep.ts';
import { completeTask } from '../../src/tools/builtin/complete-task.ts';
import { obey } from './orders.ts';
import { effectTools } from './tools.ts';

process.on('message', obey);
process.on('disconnect', () => process.exit());

const config = loadConfig();
const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
mkdirSync(config.home, { recursive: true });
const database = await openDatabase({ databaseUrl: config.databaseUrl, file: join(config.home, 'profclaw.db') });
const secretKey = await openSecretKey({ db: database.db, home: config.home, fromEnvironment: config.secretKey });
const tools = [...effectTools(process.env.CHAOS_EFFECTS ?? ''), completeTask];
const { services, close } = await openServices({ config, database, secretKey, log, version: 'chaos', tools });
const sweep = startSweep(database.db, services.runs, log);
const server = await startServer(services, INTERFACE);
process.once('SIGTERM', () => void stop());
process.send?.({ url: server.url });
// One that is killed would not write down what it has compiled.
flushCompileCache();

async function stop(): Promise<void> {
  await server.stop();
  await sweep.stop();
  await close();
  await database.close();
  process.exit();
}
