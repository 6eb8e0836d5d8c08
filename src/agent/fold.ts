import type { Kysely } from 'kysely';
import { asString, type JsonObject } from '../core/json.ts';
import { foldEvents, readEvents, type StoredEvent } from '../storage/run-events.ts';
import { markFolded, runsToFold } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import { continues } from './deltas.ts';

const EVENTS_AT_ONCE = 2000;

/** Pieces of one text that follow each other. */
interface Group {
  from: number;
  to: number;
  type: string;
  data: JsonObject;
  texts: string[];
}

/** Puts the deltas of runs that ended a while ago together: a run is then a few rows. @returns how many runs. */
export async function foldEndedRuns(db: Kysely<Schema>, limit: number): Promise<number> {
  const runs = await runsToFold(db, limit);
  for (const { owner, id } of runs) {
    for (let after: number | undefined = 0; after !== undefined; ) after = await foldSome(db, owner, id, after);
    await markFolded(db, owner, id);
  }
  return runs.length;
}

/** @returns from where to go on, undefined if all is done. */
async function foldSome(db: Kysely<Schema>, owner: string, run: string, after: number): Promise<number | undefined> {
  const events = await readEvents(db, owner, run, { after, limit: EVENTS_AT_ONCE });
  const groups = grouped(events);
  await db.transaction().execute(async (tx) => {
    for (const { from, to, data, texts } of groups) {
      if (texts.length < 2) continue;
      await foldEvents(tx, owner, run, { from, to, data: JSON.stringify({ ...data, text: texts.join('') }) });
    }
  });
  // The last one may go on; alone it would stop the rest.
  const last = groups.at(-1);
  return last && groups.length > 1 ? last.from - 1 : events.at(-1)?.seq;
}

function grouped(events: readonly StoredEvent[]): Group[] {
  const groups: Group[] = [];
  for (const { type, data: json, seq, firstSeq } of events) {
    const data = JSON.parse(json) as JsonObject;
    const text = asString(data.text);
    const last = groups.at(-1);
    if (last && continues(last, { type, data })) {
      last.to = seq;
      last.texts.push(text);
    } else groups.push({ from: firstSeq, to: seq, type, data, texts: [text] });
  }
  return groups;
}
