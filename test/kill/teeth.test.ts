import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp, tempFolder } from '../process/program.ts';
import { compare, type Sent } from './clients.ts';
import { findFaults } from './faults.ts';
import { Rig, warmUp } from './rig.ts';
import { approveCall, runWithTools } from './run-operations.ts';
import { readState, type State, withDatabase } from './state.ts';
import { bringResult, sendMessage } from './turn-operations.ts';
import { startUpstream, type Upstream } from './upstream.ts';
import { compactConversation } from './whole-operations.ts';

// What the other files of this folder would not notice proves nothing.

vi.setConfig({ testTimeout: 120_000 });

const environment = { NODE_COMPILE_CACHE: tempFolder() };
let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream(1);
  await warmUp(environment);
});

afterAll(async () => {
  await cleanUp();
  await upstream.stop();
});

it('a program whose statements are not in transactions is found out', async () => {
  const rig = new Rig(upstream, { ...environment, KILL_WITHOUT_TRANSACTIONS: 'true' });
  await rig.start();
  const message = sendMessage(false);
  let faults: string[] = [];
  for (let point = 1; faults.length === 0; point++) {
    const attempt = await message.begin(rig);
    rig.arm({ when: 'after', point });
    expect(await attempt.act()).toMatchObject({ isWhole: false });
    await rig.revive();
    faults = await rig.faults();
  }
  expect(faults.join()).toMatch(/counted as|is not found/);
});

describe('what is wrong with a state is seen', () => {
  let rig: Rig;
  let state: State;
  const sent: Sent[] = [];

  beforeAll(async () => {
    rig = new Rig(upstream, environment);
    await rig.start();
    const path = await rig.conversation('a talk');
    const content = 'what a client asked';
    const told = await rig.ask(`${path}/messages`, { content });
    for (const operation of [bringResult(), compactConversation(40), runWithTools(false)]) {
      const attempt = await operation.begin(rig);
      expect(await attempt.act()).toMatchObject({ status: 200, isWhole: true });
    }
    // It goes on waiting.
    await approveCall().begin(rig);
    upstream.refuse(true);
    const refused = await rig.ask(`${path}/messages`, { content: 'what was refused' });
    upstream.refuse(false);
    expect([told.status, refused.status]).toEqual([200, 400]);
    const common = { conversation: path, stream: false, key: undefined };
    sent.push({ ...common, content, told: [told] }, { ...common, content: 'what was refused', told: [] });
    await rig.stop();
    state = await rig.state();
  });

  it('and nothing where nothing is', () => {
    expect(findFaults(state)).toEqual([]);
    expect(state.messages.map(({ conversation, status }) => [conversation, status])).toContainEqual([1, 'failed']);
    expect(state.compactions).toHaveLength(1);
    expect(state.tool_calls).toHaveLength(3);
    expect(state.runs.map(({ status }) => status).toSorted()).toEqual(['completed', 'waiting_approval']);
  });

  it.each([
    ["update messages set status = 'running' where conversation = 1 and seq = 3", /is still running/],
    ["update messages set error = '{}' where conversation = 1 and seq = 1", /is complete with the error/],
    ["update messages set status = 'complete', error = null where status = 'failed'", /is complete and has no answer/],
    ["update messages set status = 'failed', error = '{}' where conversation = 1 and seq = 1", /failed and complete/],
    ["update messages set owner = '' where conversation = 1 and seq = 1", /is of /],
    ['update messages set body = \'{"content":"wh"}\' where conversation = 1 and seq = 1', /characters, not/],
    [
      'update messages set turn = (select turn from messages where seq = 3 and conversation = 1) where seq = 2',
      /answers/,
    ],
    ['delete from messages where conversation = 1 and seq = 2', /is complete and has no answer/],
    ['delete from messages where conversation = 1 and seq = 3', /3 is found and is not there/],
    ['update messages set seq = 9 where conversation = 1 and seq = 3', /the last message is 9, noted as 3/],
    ['delete from tool_calls', /has 0 calls of 1/],
    ['update tool_calls set seq = 99', /a call is of no message/],
    ['delete from conversations where number = 1', /3 messages are of no conversation/],
    ["update conversations set owner = '' where number = 1", /conversations are nobody's/],
    ['update conversation_counts set conversations = 9', /5 conversations, counted as 9/],
    ['update conversations set message_count = 1 where number = 1', /3 messages are counted as 1/],
    ['update conversations set total_tokens = 20 where number = 1', /10 tokens are counted as 20/],
    ['update conversations set unpriced = 2 where number = 1', /1 answers are counted as 2/],
    ["update runs set status = 'running' where status = 'completed'", /is still running/],
    ["delete from turns where node = ''", /is waiting_approval, and its turn is not so/],
    ["update runs set status = 'failed' where status = 'completed'", /is failed with null/],
    ["update runs set message = 'msg_1' where status = 'completed'", /its message msg_1 is not there/],
    ["update runs set finished_at = null where status = 'completed'", /is completed and ended at null/],
    ["delete from run_events where type = 'content'", /its log has \d+ events of \d+/],
    ["update run_events set type = 'x' where type = 'complete'", /its log ends 0 times/],
    ["update run_events set type = 'x' where type = 'tool:result'", /1 calls have 0 results/],
    ["update run_events set type = 'tool:result' where type = 'tool:call'", /a call has two results/],
    ["update approvals set status = 'allowed'", /is waiting_approval with 0 questions/],
    ["update run_events set type = 'x' where type = 'approval:required'", /1 questions are told of otherwise/],
    ["update runs set total_tokens = 1 where status = 'completed'", /20 tokens are counted as 1/],
    [
      "insert into steering select id, 9, 'msg_1', owner, '', '' from runs where status = 'completed'",
      /nobody has seen/,
    ],
    ['delete from runs', /run_events are of no run/],
    ['update approvals set conversation = 99', /1 approvals are of no conversation/],
    ['update conversations set live_tokens = 0', /tokens are live, noted as 0/],
    ['update conversations set compaction = 0', /compaction 0 is in force of 1/],
    ['update conversations set covered_seq = 2 where number = 1', /2 messages are covered/],
    ['delete from search where rowid = 16777216', /0 is not found/],
    ['delete from search where rowid = 16777218', /2 is not found/],
    ["insert into search (rowid, words) values (99 * 16777216, 'x')", /1 search are of no conversation/],
    ["insert into turns values (1, 'local', 't', 'n', 1, 0)", /turns are left/],
    ["insert into orphans values (1, 'local', 0)", /orphans are left/],
  ])('%s', async (statement, fault) => {
    const faults = await withDatabase(rig.place, (db) =>
      db
        .transaction()
        .execute(async (tx) => {
          await sql.raw(statement).execute(tx);
          throw new Changed(findFaults(await readState(tx)));
        })
        .catch((error: unknown) => {
          if (error instanceof Changed) return error.faults;
          throw error;
        }),
    );
    expect(faults.join('\n')).toMatch(fault);
  });

  it('also what a client was told and is not so', () => {
    type Message = State['messages'][number];
    const talk = state.messages.filter(({ conversation }) => conversation === 1);
    const changed = (change: (message: Message) => Partial<Message> | undefined) => () => {
      const messages = talk.flatMap((message) => {
        const changes = change(message);
        return changes ? [{ ...message, ...changes }] : [];
      });
      return compare(sent, { ...state, messages });
    };
    expect(changed(() => ({}))()).toEqual({ answered: 1, failed: 1, lost: 0 });
    // Lost, half, failed, another one, and twice.
    expect(changed(({ seq }) => (seq < 3 ? undefined : {}))).toThrow();
    expect(changed(({ seq }) => (seq === 2 ? { body: '{"content":"This is"}' } : {}))).toThrow();
    expect(changed(({ seq }) => (seq === 1 ? { status: 'failed' } : {}))).toThrow();
    expect(changed(({ seq }) => (seq === 2 ? { id: 'msg_other' } : {}))).toThrow();
    expect(changed(({ seq, body }) => (seq === 3 ? { body: talk[0]?.body ?? body } : {}))).toThrow();
  });
});

/** Thrown out of a transaction to take it back. */
class Changed extends Error {
  readonly faults: string[];

  constructor(faults: string[]) {
    super();
    this.faults = faults;
  }
}
