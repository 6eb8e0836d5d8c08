import { afterAll, beforeAll, vi } from 'vitest';
import { cleanUp, tempFolder } from '../process/program.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { chosenPoints, firstStart } from './chosen.ts';
import { warmUp } from './rig.ts';
import { approveCall, cancelRun, deleteWithRuns, runWithTools } from './run-operations.ts';
import { bringResult, callTool, retryMessage, sendMessage } from './turn-operations.ts';
import {
  compactConversation,
  deleteConversation,
  deleteMessage,
  forkConversation,
  importConversation,
} from './whole-operations.ts';

// Dozens of program starts, on machines that have other work.
vi.setConfig({ testTimeout: 600_000, maxConcurrency: 4 });

const environment = { NODE_COMPILE_CACHE: tempFolder() };
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
  await warmUp({ ...environment, DATABASE_URL: await postgres.newDatabase() });
});

afterAll(async () => {
  await cleanUp();
  await postgres.stop();
});

const common = { environment, newDatabase: () => postgres.newDatabase() };

firstStart({ ...common, whens: ['before'] });

// What is behind the commits is the same as on SQLite; here it is the transaction that nobody ends.
chosenPoints({
  ...common,
  operations: [
    importConversation(150),
    forkConversation(150),
    deleteConversation(250),
    deleteMessage(250),
    sendMessage(true),
    retryMessage(),
    callTool(),
    bringResult(),
    compactConversation(40),
    deleteWithRuns(),
    cancelRun(),
  ],
  whens: ['before'],
});

chosenPoints({ ...common, operations: [sendMessage(false)], whens: ['before', 'after'] });
chosenPoints({ ...common, operations: [runWithTools(false), approveCall()], whens: ['after'] });
