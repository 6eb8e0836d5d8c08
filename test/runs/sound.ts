import type { Kysely } from 'kysely';
import { expect } from 'vitest';
import type { Schema } from '../../src/storage/schema.ts';

/** Whether all that a database has of runs that have ended, and of their conversations, fits together. */
export async function expectSound(db: Kysely<Schema>): Promise<void> {
  const [runs, conversations, turns] = await Promise.all([
    db.selectFrom('runs').selectAll().execute(),
    db.selectFrom('conversations').selectAll().where('owner', '!=', '').execute(),
    db.selectFrom('turns').selectAll().execute(),
  ]);
  const busy = new Set(turns.map(({ conversation }) => conversation));
  const complaints: string[] = [];
  const check = (what: string, holds: boolean): void => {
    if (!holds) complaints.push(what);
  };
  for (const run of runs) {
    const isOver = run.finished_at !== null;
    check(
      `${run.id} (${run.status}) has a turn as long as it has not ended`,
      isOver !== turns.some(({ id }) => id === run.id),
    );
    if (!isOver) continue;
    const events = await db
      .selectFrom('run_events')
      .select(['seq', 'first_seq', 'type'])
      .where('run', '=', run.id)
      .orderBy('seq')
      .execute();
    check(
      `${run.id} has no gap`,
      events.every(({ first_seq }, index) => first_seq === (events[index - 1]?.seq ?? 0) + 1),
    );
    check(`${run.id} ends with its last event`, events.at(-1)?.seq === run.last_seq);
    const ends = events.filter(({ type }) => type === 'complete' || type === 'error');
    check(`${run.id} has one end: ${ends.length}`, ends.length === 1 && events.at(-1)?.type === ends[0]?.type);
    check(`${run.id} (${run.status}) ends so`, (run.status === 'completed') === (ends[0]?.type === 'complete'));
  }
  const over = runs.filter(({ finished_at }) => finished_at !== null).map(({ id }) => id);
  const left = async (table: 'steering' | 'approvals'): Promise<number> => {
    const rows = await db.selectFrom(table).selectAll().execute();
    return rows.filter((row) => over.includes(row.run) && (!('status' in row) || row.status === 'pending')).length;
  };
  check('no question of a run that has ended waits', (await left('approvals')) === 0);
  check('no message to a run that has ended waits', (await left('steering')) === 0);
  for (const conversation of conversations) {
    if (busy.has(conversation.number)) continue;
    for (const complaint of await complaintsOf(db, conversation)) complaints.push(`${conversation.id}: ${complaint}`);
  }
  expect(complaints).toEqual([]);
}

async function complaintsOf(
  db: Kysely<Schema>,
  {
    number,
    message_count,
    last_seq,
    live_tokens,
    covered_seq,
  }: { [Key in 'number' | 'message_count' | 'last_seq' | 'live_tokens' | 'covered_seq']: number },
): Promise<string[]> {
  const messages = await db
    .selectFrom('messages')
    .selectAll()
    .where('conversation', '=', number)
    .orderBy('seq')
    .execute();
  const calls = await db.selectFrom('tool_calls').selectAll().where('conversation', '=', number).execute();
  const live = messages.filter(({ seq, status }) => seq > covered_seq && status === 'complete');
  const seqs = new Set(live.map(({ seq }) => seq));
  const tokens = [...live, ...calls.filter(({ seq }) => seqs.has(seq))].reduce((sum, one) => sum + one.tokens, 0);
  // What a plain message has called is for its caller to carry out.
  const ofRuns = new Set(messages.filter(({ turn }) => turn.startsWith('run_')).map(({ seq }) => seq));
  const open = calls.filter(({ seq, status }) => ofRuns.has(seq) && (status === 'pending' || status === 'running'));
  return [
    ...(messages.length === message_count ? [] : [`${messages.length} messages, not ${message_count}`]),
    ...((messages.at(-1)?.seq ?? 0) <= last_seq ? [] : [`a message after its last, ${last_seq}`]),
    ...(tokens === live_tokens ? [] : [`${tokens} live tokens, not ${live_tokens}`]),
    ...open.map(({ seq, position, status }) => `call ${position} of message ${seq} is ${status}`),
    ...messages.filter(({ status }) => status === 'running').map(({ seq }) => `message ${seq} is running`),
  ];
}
