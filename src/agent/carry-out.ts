import { hashOf } from '../core/canonical.ts';
import type { JsonObject } from '../core/json.ts';
import type { ToolCallRow } from '../storage/messages.ts';
import { writeToolCall } from '../storage/tool-calls.ts';
import { noteRuleUse } from '../storage/tool-rules.ts';
import type { Judgement } from '../tools/policy/judge.ts';
import type { Tool } from '../tools/tool.ts';
import { CallProgress } from './call-progress.ts';
import { callEvent, endCall } from './end-call.ts';
import type { PlacedCall } from './messages.ts';
import type { OpenRun } from './open-run.ts';

/** What is to be carried out, and what it may touch. */
interface Deed extends Pick<Judgement, 'grant' | 'rule'> {
  tool: Tool;
  given: JsonObject;
  /** Was nothing told of the call yet? */
  isNew: boolean;
}

/**
 * Notes that a call has begun, carries it out, and stores its result.
 * @returns the call's row as it is then.
 * @throws Lost, or why the run stopped.
 */
export async function carryOut(
  run: OpenRun,
  placed: PlacedCall,
  { tool, given, grant, rule, isNew }: Deed,
): Promise<ToolCallRow> {
  const { row, call, message } = placed;
  await run.record(async (tx) => {
    await writeToolCall(tx, row, { status: 'running' });
    if (rule !== null) await noteRuleUse(tx, run.row.owner, rule);
    return { events: isNew ? [callEvent(placed, run.row.steps)] : [], value: undefined };
  });
  run.throwIfStopped();
  const startedAt = performance.now();
  const progress = new CallProgress((text) => run.emit('tool:progress', { toolCallId: call.id, text }));
  const outcome = await tool.run(given, {
    db: run.services.db,
    owner: run.row.owner,
    conversationId: run.row.conversation_id,
    workspace: run.services.policy.workspace,
    hidden: run.services.policy.hidden,
    mode: run.settings.securityMode,
    grant,
    signal: run.signal,
    idempotencyKey: `${message.id}:${row.position}`,
    progress: (text) => progress.add(text),
  });
  progress.end();
  run.throwIfStopped();
  const duration = Math.round(performance.now() - startedAt);
  const text = `${changeNote(call.arguments, given)}${outcome.text}`;
  return await endCall(run, placed, { text, status: outcome.isError ? 'error' : 'success', duration }, false);
}

/** The model must know when something else was done than it has asked for. */
function changeNote(asked: JsonObject, given: JsonObject): string {
  if (hashOf(asked) === hashOf(given)) return '';
  return `A person has changed the arguments of this call to ${JSON.stringify(given)}. Its result:\n`;
}
