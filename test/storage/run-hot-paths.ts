import { type Kysely, sql } from 'kysely';
import { foldEndedRuns } from '../../src/agent/fold.ts';
import { LOCAL_OWNER } from '../../src/auth/principal.ts';
import { newId } from '../../src/core/ids.ts';
import { expiredApprovals, getApproval, hasExpired } from '../../src/storage/approvals.ts';
import { removeLastMessages } from '../../src/storage/orphans.ts';
import { appendEvents, readEvents, readHeads, seqOfKey } from '../../src/storage/run-events.ts';
import { activeRun, nextPass, runsWithWork, takeRun, waitingRun } from '../../src/storage/runs.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { hasSteering, keepSteering } from '../../src/storage/steering.ts';
import { getToolResult, getToolResultIn, insertToolResult } from '../../src/storage/tool-results.ts';
import {
  countToolRules,
  insertToolRule,
  noteRuleUse,
  readToolRules,
  ruleSetVersion,
} from '../../src/storage/tool-rules.ts';

/** Finished runs that are there before anything is asked. */
const RUNS = 100_000;
/** Every so-manieth of them is at work, waits for a person, is to be folded. */
const ONE_IN = 1000;
const OWNERS = 100;
const RULES = 20_000;
const RESULTS = 20_000;
/** Runs whose deltas are stored in one statement. */
const AT_ONCE = 200;

const SETTINGS = JSON.stringify({
  refs: [{ provider: 'demo', model: 'demo' }],
  limits: { maxSteps: 5, closes: true },
  tools: [],
  securityMode: 'ask',
  showThinking: true,
  onCrash: 'resume',
  budgets: [],
});

const owner = sql`case when i % ${sql.lit(OWNERS)} = 2 then 'local' else 'other-' || (i % ${sql.lit(OWNERS)}) end`;
const id = (prefix: string) => sql`${sql.lit(`${prefix}_`)} || (1000000 + i)`;
const rest = (n: number) => sql`i % ${sql.lit(ONE_IN)} = ${sql.lit(n)}`;

/** Numbers from 1 to `count`, as a table `n` with the column `i`. */
const numbers = (count: number) =>
  sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(count)})`;

/** What a server has after 100,000 runs of a hundred owners. */
export async function seedRuns(db: Kysely<Schema>): Promise<void> {
  await sql`insert into runs (id, owner, conversation, conversation_id, kind, status, last_seq, steps, first_seq,
      created_at, updated_at, finished_at, fold_at, settings)
    ${numbers(RUNS)} select ${id('run')}, ${owner}, 1 + i % 3000, 'conv_' || (1 + i % 3000), 'tools',
      case when ${rest(1)} then 'waiting_approval' when ${rest(2)} then 'queued' else 'completed' end,
      3, 1, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z',
      case when ${rest(3)} then 4000000000000 else null end, ${sql.lit(SETTINGS)} from n`.execute(db);
  for (const [seq, key, type] of [
    [1, 'start', 'session:start'],
    [2, null, 'content'],
    [3, 'end', 'complete'],
  ] as const)
    await sql`insert into run_events (run, seq, owner, key, first_seq, type, created_at, data)
      ${numbers(RUNS)} select ${id('run')}, ${sql.lit(seq)}, ${owner}, ${sql.lit(key)}, ${sql.lit(seq)},
        ${sql.lit(type)}, 1, '{"text":"x"}' from n`.execute(db);
  await sql`insert into approvals (id, owner, conversation, conversation_id, run, message_seq, position, tool_call_id,
      tool, level, reason, status, arguments_hash, created_at, expires_at, arguments)
    ${numbers(RUNS)} select ${id('approval')}, ${owner}, 1 + i % 3000, 'conv_' || (1 + i % 3000), ${id('run')}, 2, 0,
      'call', 'exec', 'dangerous', '', case when ${rest(1)} then 'pending' else 'allowed' end, 'hash',
      '2026-01-01T00:00:00.000Z', 4000000000000, '{}' from n`.execute(db);
  await sql`insert into tool_rules (id, owner, conversation, tool, match_hash, action, created_at, match)
    ${numbers(RULES)} select ${id('rule')}, ${owner}, i % 300, 'exec', 'hash-' || i, 'allow',
      '2026-01-01T00:00:00.000Z', '{}' from n`.execute(db);
  await sql`insert into tool_results (id, owner, conversation, seq, created_at, text)
    ${numbers(RESULTS)} select ${id('result')}, ${owner}, 1 + i % 3000, i, '2026-01-01T00:00:00.000Z', 'x'
      from n`.execute(db);
  await sql`insert into steering (run, seq, id, owner, created_at, content)
    ${numbers(RULES)} select ${id('run')}, 1, ${id('msg')}, ${owner}, '2026-01-01T00:00:00.000Z', '""' from n`.execute(
    db,
  );
}

/** What every step of a run asks the database, what watchers do, and what is done in the background. */
export async function runRunPaths(db: Kysely<Schema>): Promise<void> {
  const run = `run_${1_000_000 + 2 * ONE_IN + 2}`;
  const taken = await takeRun(db, LOCAL_OWNER, run, 1);
  if (!taken) throw new Error('the run is not taken');
  await db.transaction().execute(async (tx) => {
    const appends = Array.from({ length: AT_ONCE }, (_, i) => ({
      run: `run_${1_000_000 + i * ONE_IN + 2}`,
      owner: LOCAL_OWNER,
      fence: i === 2 ? taken.fence : 0,
      events: [
        { type: 'content', data: { text: 'a' } },
        { key: 'step:1', type: 'step:start', data: {} },
      ],
    }));
    const stored = await appendEvents(tx, appends);
    if (stored.get(run)?.[0]?.seq !== 4) throw new Error('the events are not stored');
  });
  await readEvents(db, LOCAL_OWNER, run, { after: 3, limit: 500 });
  if ((await seqOfKey(db, LOCAL_OWNER, run, 'step:1')) !== 5) throw new Error('the event is not found by its key');
  await readHeads(db, [run, 'run_1000003']);
  await activeRun(db, LOCAL_OWNER, taken.conversation);
  await waitingRun(db, LOCAL_OWNER, taken.conversation_id);
  await keepSteering(db, { run, seq: 9, id: newId('msg'), owner: LOCAL_OWNER, content: '""' });
  await hasSteering(db, LOCAL_OWNER, run);
  const place = { owner: LOCAL_OWNER, conversation: 7, conversation_id: null };
  const { id: rule } = await insertToolRule(db, {
    ...{ id: newId('rule'), ...place, tool: 'exec', action: 'deny', expires_at: null },
    match: { command: 'rm *' },
  });
  await noteRuleUse(db, LOCAL_OWNER, rule);
  if ((await ruleSetVersion(db, LOCAL_OWNER)) === 0) throw new Error('the rules are not noted to have changed');
  // An owner has a thousand at most.
  if ((await readToolRules(db, LOCAL_OWNER)).length !== (await countToolRules(db, LOCAL_OWNER, Date.now())))
    throw new Error('the rules are not found');
  await db.transaction().execute(async (tx) => {
    const result = { id: 'result_1', owner: LOCAL_OWNER, conversation: 2_000_000, seq: 1, position: 0, text: 'x' };
    await insertToolResult(tx, result);
    await removeLastMessages(tx, { owner: LOCAL_OWNER, conversation: 2_000_000, fromSeq: 1 });
  });
  await getToolResult(db, LOCAL_OWNER, 'result_1000002');
  await getToolResultIn(db, LOCAL_OWNER, 'conv_3', 'result_1000002');
  const approval = await getApproval(db, LOCAL_OWNER, 'approval_1000002');
  if (!approval || (await hasExpired(db, approval))) throw new Error('the approval is not found');
  await expiredApprovals(db, 100);
  const [waiting] = await runsWithWork(db, new Date().toISOString(), 100);
  if (!waiting) throw new Error('no run is found that has something to do');
  await nextPass(db, waiting);
  await db.updateTable('runs').set({ fold_at: 0 }).where('id', '=', 'run_1000003').execute();
  if ((await foldEndedRuns(db, 20)) !== 1) throw new Error('no run is folded');
}
