import { afterAll, beforeAll, vi } from 'vitest';
import { cleanUp, tempFolder } from '../process/program.ts';
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

// A hundred program starts, on machines that have other work.
vi.setConfig({ testTimeout: 600_000, maxConcurrency: 4 });

const environment = { NODE_COMPILE_CACHE: tempFolder() };

beforeAll(() => warmUp(environment));
afterAll(cleanUp);

firstStart({ whens: ['before'], environment });

// Those with the most commits first: they take the longest.
chosenPoints({
  operations: [
    importConversation(450),
    forkConversation(150),
    deleteConversation(600),
    deleteMessage(350),
    sendMessage(false),
    sendMessage(true),
    retryMessage(),
    callTool(),
    bringResult(),
    compactConversation(40),
    cancelRun(),
  ],
  whens: ['before', 'after'],
  environment,
});

// Runs have so many commits that one of both will do. After a commit what was to be done next is known to nobody yet.
chosenPoints({ operations: [deleteWithRuns(), runWithTools(true)], whens: ['before'], environment });
chosenPoints({ operations: [runWithTools(false), approveCall()], whens: ['after'], environment });
