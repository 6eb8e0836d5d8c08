import type { Json } from '../server.ts';
import { CONVERSATIONS, type Stage } from './matrix-isolation.ts';
import { type Credential, OF_THE_TEST } from './matrix-server.ts';
import { type Ids, type Place, Things } from './matrix-things.ts';

const RUNS = '/api/chat/runs';
const APPROVALS = '/api/chat/approvals';
const RULES = '/api/chat/tools/rules';

/** Has runs with all that can be in one: questions and answers of all kinds, rules, messages in the middle, ends. */
export async function driveRuns({ server }: { server: Place }, credential: Credential): Promise<void> {
  const things = new Things(server, credential, 'Driven run');
  const send = async (method: string, path: string, body?: object, status = 200): Promise<Json> => {
    const answer = await server.ask(method, path, credential, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const { id = '' } = await things.conversation();
  const path = `${CONVERSATIONS}/${id}`;
  await answerQuestions(things, send, path);
  await readRuns(things, send);
  // It takes long enough for its node to look whether somebody else has written to it.
  const content = '/tool list_directory {}\n/next\n/reason So\n/stream 4 400\n/say one two three four';
  await send('POST', `${path}/messages/agentic`, { content });
  await send('POST', `${path}/messages/with-tools`, { content: '/fail 400' }, 400);
  await send('POST', `${path}/retry`, {}, 400);
  const again = { ...credential, 'idempotency-key': 'driven-run' };
  for (let i = 0; i < 2; i++) await server.ask('POST', `${path}/messages/with-tools`, again, { content: 'Keyed' });
  const { id: stopped = '' } = await things.waiting();
  await send('POST', `${RUNS}/${stopped}/cancel`, {});
  const { conversationId: busy } = await things.waiting();
  const { messages } = await send('GET', `${CONVERSATIONS}/${busy}`);
  await send('DELETE', `${CONVERSATIONS}/${busy}/messages/${messages.at(-1).id}`);
  const { conversationId: gone, id: going } = await things.waiting();
  await send('POST', `${RUNS}/${going}/messages`, { content: 'Wait' }, 201);
  await send('DELETE', `${CONVERSATIONS}/${gone}`);
}

type Send = (method: string, path: string, body?: object, status?: number) => Promise<Json>;

async function answerQuestions(things: Things, send: Send, path: string): Promise<void> {
  const call = JSON.stringify({ path: 'driven', content: 'Driven' });
  const ask = async (): Promise<Json> =>
    await send('POST', `${path}/messages/with-tools`, { content: `/tool write_file ${call}` });
  const { runId, pendingApprovals } = await ask();
  await send('POST', `${RUNS}/${runId}/messages`, { content: 'Go on' }, 201);
  const answer = { conversationId: pendingApprovals[0].conversationId, approvalId: pendingApprovals[0].id };
  await send('POST', '/api/chat/tools/approve', { ...answer, decision: 'allow-always' });
  if ((await ask()).finishReason !== 'stop') throw new Error('the rule does not count');
  for (const more of [
    { decision: 'deny', reason: 'No' },
    { decision: 'allow-once', editedArguments: { path: 'x' } },
  ]) {
    const { conversationId, approvalId } = await things.waiting();
    const isWrong = 'editedArguments' in more;
    await send('POST', '/api/chat/tools/approve', { conversationId, approvalId, ...more }, isWrong ? 400 : 200);
  }
}

async function readRuns(things: Things, send: Send): Promise<void> {
  const { id, conversationId }: Ids = await things.ended();
  for (const list of [RUNS, APPROVALS]) {
    const { nextCursor } = await send('GET', `${list}?limit=1`);
    const status = list === RUNS ? 'waiting_approval' : 'pending';
    for (const filter of ['', `&conversationId=${conversationId}`, `&status=${status}`])
      for (const page of ['', `&cursor=${nextCursor}`]) await send('GET', `${list}?limit=1${filter}${page}`);
  }
  await send('GET', `${RUNS}/${id}`);
  await send('GET', `${RUNS}/${id}/events?after=2`);
  await things.rule();
  const { nextCursor } = await send('GET', `${RULES}?limit=1`);
  const { rules } = await send('GET', `${RULES}?limit=1&cursor=${nextCursor}`);
  await send('DELETE', `${RULES}/${rules[0].id}`);
}

/** Leaves runs as a process that dies leaves them: asking too late, not yet folded, and forgotten. */
export async function leaveRuns({ server: { db } }: Stage, things: Things): Promise<void> {
  const [{ approvalId: late = '' }, { id: ended = '' }, { id: forgotten = '' }] = [
    await things.waiting(),
    await things.ended(),
    await things.waiting(),
  ];
  const long = { status: 'queued', updated_at: '2026-01-01T00:00:00.000Z' } as const;
  for (const query of [
    db.updateTable('approvals').set({ expires_at: 0 }).where('id', '=', late),
    db.updateTable('runs').set({ fold_at: 0 }).where('id', '=', ended),
    db.updateTable('runs').set(long).where('id', '=', forgotten),
  ])
    await query.modifyEnd(OF_THE_TEST).execute();
}
