import { answerApproval } from '../agent/answer-approval.ts';
import { cancelRunOfMessage } from '../agent/cancel-run.ts';
import type { AgentContext } from '../agent/context.ts';
import { STEPS } from '../agent/settings.ts';
import { type RunInput, startRun } from '../agent/start-run.ts';
import { deleteMessages } from '../conversations/delete.ts';
import { userBody } from '../conversations/stored.ts';
import { hashOf } from '../core/canonical.ts';
import { AppError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { audited } from '../http/audited.ts';
import type { RouteRequest } from '../http/route.ts';
import { agentContext } from '../http/turn-input.ts';
import { type ApprovalRow, getApproval } from '../storage/approvals.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import { firstMessages, getMessage, lastMessages, type MessageRow } from '../storage/messages.ts';
import { seqOfKey } from '../storage/run-events.ts';
import { getRun, type RunRow } from '../storage/runs.ts';
import { chatOf, findChat, idsOfMessage, namedId } from './ui-stream-chat.ts';
import type { Telling } from './ui-stream-lines.ts';
import { answeredApprovals, contentOf, refuseSystem, type UiInput, type UiMessage } from './ui-stream-schemas.ts';

type UiRequest = RouteRequest<unknown, unknown, UiInput>;

/** Does what a chat's request asks, and tells from where its answer is to be told. @throws AppError */
export async function beginUi(request: UiRequest): Promise<Telling> {
  const { messages, messageId, trigger } = request.body;
  refuseSystem(messages);
  const last = messages.at(-1);
  const meant = messages.find(({ id }) => id === messageId) ?? last;
  if (meant?.role === 'assistant') return await goOn(request, meant);
  if (last?.role !== 'user') throw nothingNew(messages.length - 1);
  const run = trigger === 'submit-message' ? await submit(request, last) : await regenerate(request, last);
  return { run, after: 0, messageId: run.id };
}

/** A run for a new message, or for an edited one in place of all that followed. A repeated request finds its run. */
async function submit(request: UiRequest, message: UiMessage): Promise<RunRow> {
  const { body } = request;
  const context = agentContext(request);
  const content = contentOf(message, body.messages.length - 1);
  const chat = await chatOf(context, body);
  const place = { owner: chat.owner, conversation: chat.number };
  const known = await messageOf(context, chat, message.id);
  if (known) {
    const run = await getRun(context.db, context.owner, known.turn);
    const [last] = (await lastMessages(context.db, place, { limit: 1 })).rows;
    const isSame = hashOf(userBody(known).content) === hashOf(content);
    // Without `messageId` it was not edited: sent again, it must not undo what came later.
    if (isSame && run && (body.messageId === undefined || last?.turn === run.id)) return run;
    if (isSame && body.messageId === undefined) {
      throw new AppError('conflict', `The message ${JSON.stringify(message.id)} has its answer already`);
    }
    await removeFrom(request, chat, known);
  }
  const name = { conversationId: chat.id, messageId: message.id, content };
  const named = { ...context, newId: await idsOfMessage(context, name) };
  return await startRun(named, chat.id, runInput(body, { content }), request.signal);
}

/** Another answer to the last message, in place of the one that it has. */
async function regenerate(request: UiRequest, message: UiMessage): Promise<RunRow> {
  requireChat(request);
  const context = agentContext(request);
  const chat = await findChat(context, request.body.id);
  // A chat that we do not know: there is nothing of ours that could be replaced.
  if (!chat) return await submit(request, message);
  const known = await messageOf(context, chat, message.id);
  if (!known) throw new NotFoundError('Message', message.id, 'this chat has never sent it');
  await cancelRunOfMessage(context, chat.id, known.id);
  const range = { owner: chat.owner, conversation: chat.number, after: known.seq };
  const [answer] = await firstMessages(context.db, range, { limit: 1, maxSize: 1 });
  if (answer) await removeFrom(request, chat, answer);
  return await startRun(context, chat.id, runInput(request.body, 'retry'), request.signal);
}

/** Answers the questions that a person has answered in the app, and goes on from where the first of them was. */
async function goOn(request: UiRequest, message: UiMessage): Promise<Telling> {
  const context = agentContext(request);
  const chat = await findChat(context, request.body.id);
  const answers = answeredApprovals(message);
  if (answers.length === 0) throw nothingNew(request.body.messages.indexOf(message));
  const approvals: ApprovalRow[] = [];
  for (const { id, approved, reason } of answers) {
    const approval = await getApproval(context.db, context.owner, id);
    if (approval) approvals.push(approval);
    // Somebody may have answered it elsewhere: the first answer counts, and what came of it is told.
    if (approval?.conversation_id === chat?.id && approval && approval.status !== 'pending') continue;
    const decision = approved ? 'allow-once' : 'deny';
    const answer = { conversationId: chat?.id ?? '', approvalId: id, decision, reason, scope: 'conversation' } as const;
    await answerApproval(context, answer).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'conflict')) throw error;
    });
  }
  const runId = approvals.at(-1)?.run ?? '';
  const run = await getRun(context.db, context.owner, runId);
  if (!run) throw new NotFoundError('Run', runId);
  const own = approvals.filter((approval) => approval.run === run.id);
  const seqs = await Promise.all(own.map(({ id }) => seqOfKey(context.db, run.owner, run.id, `resolved:${id}`)));
  const first = Math.min(...seqs.flatMap((seq) => (seq === undefined ? [] : [seq])), run.last_seq + 1);
  const denied = own.filter(({ id }) => answers.some((answer) => answer.id === id && !answer.approved));
  return {
    ...{ run, after: first - 1, messageId: message.id },
    denied: new Set(denied.map((approval) => approval.tool_call_id)),
  };
}

/** The stored message of an app's one: by the name that the app gave it, or by our own id. */
async function messageOf({ db }: AgentContext, chat: ConversationRow, id: string): Promise<MessageRow | undefined> {
  const place = { owner: chat.owner, conversation: chat.number };
  return (await getMessage(db, place, namedId('msg', chat.owner, chat.id, id))) ?? (await getMessage(db, place, id));
}

/** Deletes a message and all that followed it, as the route of that does: it is in the audit log. */
async function removeFrom(request: UiRequest, chat: ConversationRow, message: MessageRow): Promise<void> {
  requireChat(request);
  const context = agentContext(request);
  await audited(request, { action: 'message.delete', target: message.id }, async () => {
    await cancelRunOfMessage(context, chat.id, message.id);
    await deleteMessages(context, chat.id, message.id, request.signal);
  });
}

/** @throws AppError `forbidden`: what was said is replaced by whoever may delete it. */
function requireChat({ principal }: UiRequest): void {
  if (principal?.scopes.includes('chat')) return;
  throw new AppError('forbidden', 'To edit a message or to regenerate its answer needs the scope chat, too');
}

function runInput(body: UiInput, begin: RunInput['begin']): RunInput {
  const { model, securityMode, effort, maxSteps, tools, temperature, maxTokens } = body;
  return {
    ...{ begin, model, securityMode, effort, tools, temperature, maxTokens },
    kind: 'tools',
    limits: { maxSteps: maxSteps ?? STEPS[effort ?? 'medium'], closes: true },
    showThinking: true,
    onCrash: 'resume',
  };
}

function nothingNew(index: number): InvalidRequestError {
  const message =
    'must be a new message of the user, or have a tool’s part in the state approval-responded; results of tools that the app carries out itself are not taken: the server carries its tools out';
  return new InvalidRequestError([{ path: `messages.${Math.max(index, 0)}`, message }]);
}
