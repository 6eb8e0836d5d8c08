import { hashOf } from '../core/canonical.ts';
import { newId } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { insertApproval } from '../storage/approvals.ts';
import type { ToolCallRow } from '../storage/messages.ts';
import type { NewEvent } from '../storage/run-events.ts';
import { isStorable } from '../storage/text.ts';
import { writeToolCall } from '../storage/tool-calls.ts';
import { type Judgement, judge } from '../tools/policy/judge.ts';
import { describeIssues, type Tool } from '../tools/tool.ts';
import { approvalData } from './approval-data.ts';
import { carryOut } from './carry-out.ts';
import { callEvent, denial, endCall, refusal } from './end-call.ts';
import { argumentsOf, type PlacedCall, stageOf } from './messages.ts';
import type { OpenRun } from './open-run.ts';
import { RunFailure } from './run-failure.ts';

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
  const tool = run.services.tools().find(({ name }) => name === call.name);
  const isOffered = run.settings.tools.includes(call.name);
  switch (stageOf(placed.row, approval)) {
    case 'new':
      if (placed.row.position >= MOST_CALLS) return await endCall(run, placed, refusal(TOO_MANY), true);
      if (!tool || !isOffered) return await endCall(run, placed, refusal(unknownTool(run, call.name)), true);
      return await takeUp(run, placed, tool);
    case 'allowed':
      // The server may have come back without it.
      if (!tool) return await endCall(run, placed, refusal(unknownTool(run, call.name)), false);
      return await goOn(run, placed, tool);
    case 'refused':
      return await endCall(run, placed, denial(refusedText(placed)), false);
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
    return await endCall(run, placed, refusal('The arguments are not a JSON object.'), true);
  const issues = tool.check(call.arguments);
  if (issues.length > 0) return await endCall(run, placed, refusal(describeIssues(issues)), true);
  const judgement = await judgementOf(run, placed, tool, false);
  const { decision, reason, rule } = judgement;
  if (decision === 'refuse') return await endCall(run, placed, denial(reason, rule), true);
  if (decision === 'ask') return await ask(run, placed, tool, reason, [callEvent(placed, run.row.steps)]);
  return await carryOut(run, placed, { ...judgement, tool, given: call.arguments, isNew: true });
}

/** A call that a person has allowed, or that had begun: what a rule denies, or is wrong by now, is so all the same. */
async function goOn(run: OpenRun, placed: PlacedCall, tool: Tool): Promise<ToolCallRow> {
  const given = argumentsOf(placed);
  const issues = tool.check(given);
  if (issues.length > 0) return await endCall(run, placed, refusal(describeIssues(issues)), false);
  const isApproved = placed.approval?.status === 'allowed';
  const judgement = await judgementOf(run, placed, tool, isApproved);
  const { decision, reason, rule } = judgement;
  if (decision === 'refuse') return await endCall(run, placed, denial(reason, rule), false);
  if (decision === 'ask' && !isApproved) return await ask(run, placed, tool, reason, []);
  return await carryOut(run, placed, { ...judgement, tool, given, isNew: false });
}

function judgementOf(run: OpenRun, placed: PlacedCall, tool: Tool, isApproved: boolean): Promise<Judgement> {
  const { owner, conversation } = run.held;
  const mode = run.settings.securityMode;
  const question = { owner, conversation, tool, given: argumentsOf(placed), mode };
  return judge(run.services.policy, question, isApproved);
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

/** A call that had begun when its process died. */
async function afterCrash(run: OpenRun, placed: PlacedCall, tool: Tool | undefined): Promise<ToolCallRow> {
  const { onCrash } = run.settings;
  if (!tool) return await endCall(run, placed, refusal(`${DIED} There is no such tool any more.`), false);
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
  return await goOn(run, placed, tool);
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
