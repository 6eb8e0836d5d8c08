import type { Kysely } from 'kysely';
import { textTokens } from '../conversations/estimate.ts';
import { hashOf } from '../core/canonical.ts';
import { newId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { nearest } from '../core/nearest.ts';
import { inErrors } from '../core/redactor.ts';
import { insertApproval } from '../storage/approvals.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import type { ToolCallRow } from '../storage/messages.ts';
import type { NewEvent } from '../storage/run-events.ts';
import type { Schema, ToolCallStatus } from '../storage/schema.ts';
import { isStorable } from '../storage/text.ts';
import { writeToolCall } from '../storage/tool-calls.ts';
import { ruleFor } from '../storage/tool-rules.ts';
import { decide } from '../tools/policy.ts';
import type { Tool } from '../tools/tool.ts';
import { approvalData } from './approval-data.ts';
import { argumentsOf, type PlacedCall, stageOf } from './messages.ts';
import type { OpenRun } from './open-run.ts';
import { RunFailure } from './run-failure.ts';

/** What a call has come to. `duration` in milliseconds. */
interface CallResult {
  text: string;
  status: Extract<ToolCallStatus, 'success' | 'error' | 'denied'>;
  duration: number;
}

/** Calls of one answer that are carried out. */
const MOST_CALLS = 128;
const TOO_MANY = `Only the first ${MOST_CALLS} calls of one answer are carried out.`;

const DIED =
  'The server stopped while this call was carried out: nobody knows whether, or how far, it was. It has effects that should not happen twice.';

/**
 * Brings a call further: to its result, or to the question whether it may be carried out.
 * @returns the call's row as it is then.
 * @throws Lost, RunFailure, or why the run stopped.
 */
export async function callStep(run: OpenRun, placed: PlacedCall): Promise<ToolCallRow> {
  const { call, approval } = placed;
  const tool = run.services.tools.find(({ name }) => name === call.name);
  const isOffered = run.settings.tools.includes(call.name);
  switch (stageOf(placed.row, approval)) {
    case 'new':
      if (placed.row.position >= MOST_CALLS) return await end(run, placed, refusal(TOO_MANY), true);
      if (!tool || !isOffered) return await end(run, placed, refusal(unknownTool(run, call.name)), true);
      return await takeUp(run, placed, tool);
    case 'allowed':
      // The server may have come back without it.
      if (!tool) return await end(run, placed, refusal(unknownTool(run, call.name)), false);
      return await carryOut(run, placed, tool, argumentsOf(placed), false);
    case 'refused':
      return await end(run, placed, { text: refusedText(placed), status: 'denied', duration: 0 }, false);
    case 'interrupted':
      return await afterCrash(run, placed, tool);
    default:
      return placed.row;
  }
}

/** A call that nothing was done about: its arguments are checked, then whether it may be carried out. */
async function takeUp(run: OpenRun, placed: PlacedCall, tool: Tool): Promise<ToolCallRow> {
  const { call } = placed;
  if (call.invalidArguments !== undefined)
    return await end(run, placed, refusal('The arguments are not a JSON object.'), true);
  const issues = tool.check(call.arguments);
  if (issues.length > 0) {
    const problems = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
    return await end(run, placed, refusal(`The arguments do not fit: ${problems}`), true);
  }
  const { owner, conversation } = run.held;
  const question = { owner, conversation, tool: tool.name, arguments_hash: hashOf(call.arguments) };
  const rule = await ruleFor(run.services.db, question);
  const { decision, reason } = decide({ tool, mode: run.settings.securityMode, rule });
  if (decision === 'refuse') return await end(run, placed, { text: reason, status: 'denied', duration: 0 }, true);
  if (decision === 'ask') return await ask(run, placed, tool, reason, [callEvent(placed, run.row.steps)]);
  return await carryOut(run, placed, tool, call.arguments, true);
}

/** Stores the question, and leaves the call until it is answered. */
async function ask(
  run: OpenRun,
  placed: PlacedCall,
  tool: Tool,
  reason: string,
  before: NewEvent[],
): Promise<ToolCallRow> {
  const { owner, conversation, conversation_id, id } = run.row;
  const { message, row, call } = placed;
  // Those of a person, if the call had begun with them.
  const given = argumentsOf(placed);
  return await run.record(async (tx) => {
    const approval = await insertApproval(
      tx,
      {
        ...{ id: newId('approval'), owner, conversation, conversation_id, run: id },
        ...{ message_seq: message.seq, position: row.position, tool_call_id: isStorable(call.id) ? call.id : '' },
        ...{ tool: tool.name, level: tool.level, reason },
        arguments: JSON.stringify(given),
        arguments_hash: hashOf(given),
      },
      run.services.approvalLifeMs,
    );
    const event = { key: `ask:${approval.id}`, type: 'approval:required', data: approvalData(approval) };
    await writeToolCall(tx, row, { status: 'pending' });
    return { events: [...before, event], change: { tries: 0 }, value: { ...row, status: 'pending' } };
  });
}

async function carryOut(
  run: OpenRun,
  placed: PlacedCall,
  tool: Tool,
  given: JsonObject,
  isNew: boolean,
): Promise<ToolCallRow> {
  const { row, call, message } = placed;
  await run.record(async (tx) => {
    await writeToolCall(tx, row, { status: 'running' });
    return { events: isNew ? [callEvent(placed, run.row.steps)] : [], value: undefined };
  });
  run.throwIfStopped();
  const startedAt = performance.now();
  let isOver = false;
  let held = '';
  const tell = (text: string): void => {
    if (text !== '') run.emit('tool:progress', { toolCallId: call.id, text });
  };
  const outcome = await tool.run(given, {
    workspace: run.services.workspace,
    hidden: run.services.hidden,
    mode: run.settings.securityMode,
    signal: run.signal,
    idempotencyKey: `${message.id}:${row.position}`,
    progress: (text) => {
      if (isOver) return;
      // A secret may come in two pieces.
      const { clean, rest } = inErrors.redactPiece(held + text);
      held = rest;
      tell(clean);
    },
  });
  isOver = true;
  tell(inErrors.redact(held));
  run.throwIfStopped();
  const duration = Math.round(performance.now() - startedAt);
  const text = `${changeNote(call.arguments, given)}${outcome.text}`;
  return await end(run, placed, { text, status: outcome.isError ? 'error' : 'success', duration }, false);
}

/** The model must know when something else was done than it has asked for. */
function changeNote(asked: JsonObject, given: JsonObject): string {
  if (hashOf(asked) === hashOf(given)) return '';
  return `A person has changed the arguments of this call to ${JSON.stringify(given)}. Its result:\n`;
}

/** A call that had begun when its process died. */
async function afterCrash(run: OpenRun, placed: PlacedCall, tool: Tool | undefined): Promise<ToolCallRow> {
  const { onCrash } = run.settings;
  if (!tool) return await end(run, placed, refusal(`${DIED} There is no such tool any more.`), false);
  const { effect } = tool;
  if (onCrash === 'fail' && effect === 'unsafe') {
    throw new RunFailure('TOOL_ERROR', `${placed.call.name}: ${DIED}`);
  }
  if (effect === 'unsafe' || onCrash === 'ask') {
    const reason =
      effect === 'unsafe' ? DIED : 'The server stopped while this call was carried out; it can be repeated.';
    return await ask(
      run,
      placed,
      tool ?? { name: placed.call.name, level: 'dangerous' },
      `${reason} Carry it out?`,
      [],
    );
  }
  return await carryOut(run, placed, tool, argumentsOf(placed), false);
}

async function end(run: OpenRun, placed: PlacedCall, result: CallResult, isNew: boolean): Promise<ToolCallRow> {
  const { row, message } = placed;
  const text = inErrors.redact(result.text).toWellFormed();
  const { status, duration } = result;
  const change = { status, duration, result: JSON.stringify(text), tokens: textTokens(text) };
  return await run.record(async (tx, conversation) => {
    await writeToolCall(tx, row, change);
    await addTokens(tx, conversation, message.seq, change.tokens - row.tokens);
    const events = [...(isNew ? [callEvent(placed, run.row.steps)] : []), resultEvent(placed, { ...result, text })];
    return { events, change: { tries: 0 }, value: { ...row, ...change } };
  });
}

/** What is covered by a summary is not sent, and not counted. */
async function addTokens(tx: Kysely<Schema>, row: ConversationRow, seq: number, tokens: number): Promise<void> {
  if (seq > row.covered_seq) await writeConversation(tx, row, { live_tokens: row.live_tokens + tokens });
}

/** The event that begins a call, once. */
export function callEvent(
  { call, message, row }: Pick<PlacedCall, 'call' | 'message' | 'row'>,
  step: number,
): NewEvent {
  const { id, name, arguments: given } = call;
  const data = { toolCallId: id, name, arguments: given, step, id, args: given };
  return { key: `call:${message.id}:${row.position}`, type: 'tool:call', data };
}

/** The event that ends a call, once. */
export function resultEvent(
  { call, message, row }: Pick<PlacedCall, 'call' | 'message' | 'row'>,
  { text, status, duration }: { text: string; status: ToolCallStatus; duration: number },
): NewEvent {
  const data = { toolCallId: call.id, name: call.name, result: text, status, duration };
  return { key: `result:${message.id}:${row.position}`, type: 'tool:result', data };
}

function refusal(text: string): CallResult {
  return { text, status: 'error', duration: 0 };
}

function refusedText({ approval }: PlacedCall): string {
  if (approval?.status === 'expired') return 'The call was not carried out: nobody has allowed it in time.';
  if (approval?.reason.startsWith(DIED)) return `${DIED} A person has decided not to repeat it.`;
  const note = approval?.note ? ` They say: ${JSON.parse(approval.note)}` : '';
  return `The call was not carried out: a person has not allowed it.${note}`;
}

function unknownTool({ settings }: OpenRun, name: string): string {
  const [meant] = nearest(name, settings.tools, 1);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return `There is no tool ${JSON.stringify(name)}.${hint}`;
}
