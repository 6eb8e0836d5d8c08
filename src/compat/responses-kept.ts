import type { AgentContext } from '../agent/context.ts';
import { runAnswer } from '../agent/run-answer.ts';
import { settingsOf } from '../agent/settings.ts';
import type { JsonObject } from '../core/json.ts';
import { AppError, NotFoundError, toAppError } from '../errors.ts';
import type { ModelRef } from '../providers/registry.ts';
import { findMessage, lastMessages } from '../storage/messages.ts';
import { getResponse, type ResponseRow, twinId } from '../storage/responses.ts';
import { getRun, isActive, type RunRow } from '../storage/runs.ts';
import { isTurnHeld } from '../storage/turns.ts';
import { type ResponseHead, responseObject } from './responses-object.ts';
import { projectionOf } from './responses-of-message.ts';

/** A response that is kept, with the conversation that it is of. */
export type KeptResponse = ResponseRow & { conversationId: string };

/** @throws NotFoundError */
export async function keptResponse({ db, owner }: AgentContext, id: string): Promise<KeptResponse> {
  const row = await getResponse(db, owner, id);
  if (!row) throw new NotFoundError('Response', id, 'only those with store: true are kept');
  return row;
}

/** What was known of it from its start. */
export function headOf({ id, created_at, request }: KeptResponse): ResponseHead {
  const { model, ...echo } = JSON.parse(request) as JsonObject;
  const createdAt = Math.floor(Date.parse(created_at) / 1000);
  return { id, createdAt, model: typeof model === 'string' ? model : '', echo };
}

/** The response as it is now. @throws NotFoundError if what was said was deleted meanwhile. */
export async function readResponse(context: AgentContext, row: KeptResponse): Promise<JsonObject> {
  if (row.kind === 'run') return await ofRun(context, row, await runOf(context, row.id));
  const { db, owner } = context;
  // In this order: a turn that ends in between has its answer.
  const isHeld = await isTurnHeld(db, owner, row.conversation);
  const answer = await findMessage(db, owner, twinId(row.id, 'msg'));
  if (answer) return finished(projectionOf(answer.message, headOf(row)).response(), answer.message.created_at);
  if (isHeld) return responseObject(headOf(row), { status: 'in_progress' });
  return responseObject(headOf(row), { status: 'failed', error: await failureOf(context, row) });
}

/** The run of a response in the background. @throws NotFoundError */
export async function runOf({ db, owner }: AgentContext, id: string): Promise<RunRow> {
  const run = await getRun(db, owner, twinId(id, 'run'));
  if (!run) throw new NotFoundError('Response', id);
  return run;
}

/** The model that a run asks first. */
export function firstModel(run: RunRow): Pick<ModelRef, 'provider' | 'model'> {
  return settingsOf(run).refs[0] ?? { provider: 'demo', model: '' };
}

/** The same of a response in the background, out of its run. */
export async function ofRun(context: AgentContext, row: KeptResponse, run: RunRow): Promise<JsonObject> {
  const { provider, model } = firstModel(run);
  const head = { ...headOf(row), model: `${provider}/${model}` };
  if (isActive(run.status)) {
    return responseObject(head, { status: run.status === 'queued' ? 'queued' : 'in_progress' });
  }
  const answer = run.message === null ? undefined : await findMessage(context.db, context.owner, run.message);
  const projection = answer && projectionOf(answer.message, head);
  if (run.status === 'completed' && projection) {
    return finished(projection.response(), run.finished_at ?? run.updated_at);
  }
  if (run.status === 'cancelled')
    return projection?.response('cancelled') ?? responseObject(head, { status: 'cancelled' });
  const error = await runAnswer(context, run.id, null).then(() => undefined, toAppError);
  return responseObject(head, { status: 'failed', error: error ?? new AppError('internal', 'The run has no answer') });
}

function finished(response: JsonObject, at: string): JsonObject {
  const isComplete = response.status === 'completed';
  return { ...response, completed_at: isComplete ? Math.floor(Date.parse(at) / 1000) : null };
}

/** Why a turn has no answer, as far as its messages tell. */
async function failureOf({ db, owner }: AgentContext, { conversation }: KeptResponse): Promise<AppError> {
  const { rows } = await lastMessages(db, { owner, conversation }, { limit: 1 });
  const error = rows[0]?.status === 'failed' ? rows[0].error : null;
  const { message } =
    error === null ? { message: 'The answer was broken off' } : (JSON.parse(error) as { message: string });
  return new AppError('internal', message);
}
