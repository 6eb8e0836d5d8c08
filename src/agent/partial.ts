import type { Kysely } from 'kysely';
import { asObject, asString, tryParseJson } from '../core/json.ts';
import { readEvents, seqOfKey } from '../storage/run-events.ts';
import type { RunRow } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';

const EVENTS_AT_ONCE = 1000;

/** What a model has said in a step that was not finished. */
export interface PartialAnswer {
  text: string;
  reasoning: string;
}

/** Reads out of a run's log what was said in the step that is under way, since its last attempt began. */
export async function partialAnswer(db: Kysely<Schema>, { owner, id, steps }: RunRow): Promise<PartialAnswer> {
  const said = { text: '', reasoning: '' };
  let after = await seqOfKey(db, owner, id, `step:${steps}`);
  while (after !== undefined) {
    const events = await readEvents(db, owner, id, { after, limit: EVENTS_AT_ONCE });
    for (const { type, data } of events) {
      const text = asString(asObject(tryParseJson(data)).text);
      if (type === 'attempt:reset') Object.assign(said, { text: '', reasoning: '' });
      else if (type === 'content') said.text += text;
      else if (type === 'thinking:update') said.reasoning += text;
    }
    after = events.at(-1)?.seq;
  }
  return said;
}
