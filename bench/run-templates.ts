import { foldEndedRuns } from '../src/agent/fold.ts';
import { openDatabase } from '../src/storage/database.ts';
import type { Running } from './processes.ts';
import { RunClient } from './run-client.ts';
import { readTemplate, type Template } from './run-copies.ts';
import { type Place, startNode } from './run-place.ts';

/**
 * What the demo is told to do: a call that needs an approval. It fails at once when it is carried out, since a folder
 * cannot be written: no disk has part in it.
 */
const ASKS = '/tool write_file {"path": ".", "content": ""}\n/next\n/say Done';
/** The same, and the call begins with a new file in the workspace. */
export const WRITES = ASKS.replace('"."', '"approved"');
const PLAIN = '/say This is all of what I have to say to that\n/stream 10 0';

/** Runs as a server has left them. */
export interface Templates {
  /** Has ended after one step, and is folded. */
  plain: Template;
  /** Has ended after a call that was allowed, and is folded. */
  asked: Template;
  /** Waits for somebody to allow a call. */
  waiting: Template;
}

/** Has a server make one run of each kind in an empty database, which it leaves there. */
export async function makeTemplates(place: Place, upstream: Running): Promise<Templates> {
  const server = await startNode(place, upstream.url);
  const client = new RunClient(server.url);
  const plain = await client.start(await client.newConversation(), { content: PLAIN, model: 'demo' });
  const plainRun = String((await plain.until('session:start')).data.sessionId);
  await plain.until('complete');
  const asked = await startAsking(client);
  await client.allow(asked.conversation, asked.approval);
  await asked.events.until('complete');
  const waiting = await startAsking(client);
  await waiting.events.close();
  await client.close();
  await server.stop();
  const { db, close } = await openDatabase(place.options);
  await db.updateTable('runs').set({ fold_at: 0 }).where('fold_at', 'is not', null).execute();
  await foldEndedRuns(db, 2);
  const templates = {
    plain: await readTemplate(db, plainRun),
    asked: await readTemplate(db, asked.run),
    waiting: await readTemplate(db, waiting.run),
  };
  await close();
  return templates;
}

/** Starts a run and reads its events until it waits for an approval. `last`: the number of the last one. */
export async function startAsking(client: RunClient, content = ASKS) {
  const conversation = await client.newConversation();
  const events = await client.start(conversation, { content, model: 'demo', securityMode: 'ask' });
  const { data } = await events.until('approval:required');
  const { id: last } = await events.until('waiting');
  return { conversation, events, approval: String(data.id), run: String(data.runId), last };
}
