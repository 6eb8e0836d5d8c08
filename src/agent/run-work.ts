import { toolTokens } from '../conversations/estimate.ts';
import { assistantBody } from '../conversations/stored.ts';
import type { Tool as OfferedTool } from '../providers/chat-model.ts';
import { type ApprovalRow, approvalsOf } from '../storage/approvals.ts';
import { type ConversationRow, getConversationByNumber } from '../storage/conversations.ts';
import { allMessages, type MessageRow } from '../storage/messages.ts';
import type { StopReason } from '../storage/run-schema.ts';
import { hasSteering } from '../storage/steering.ts';
import { askStep, stepComplete, stepData } from './ask-step.ts';
import { callStep } from './call-step.ts';
import type { PastCall, TurnState } from './decide.ts';
import { NotYet } from './engine/engine.ts';
import { finishRun } from './finish-run.ts';
import type { TurnWork } from './loop.ts';
import { approvalOf, declaredSummary, pastCall, pastCalls, placedCall, stageOf } from './messages.ts';
import { Lost, type OpenRun } from './open-run.ts';

/** This node takes up nothing new: the run goes on elsewhere, or after the next start. */
export class HandOver extends NotYet {
  override name = 'HandOver';
}

/** A run's turn, out of what is stored of it. */
export class RunWork implements TurnWork {
  readonly #run: OpenRun;
  #messages: MessageRow[];
  #conversation: ConversationRow;
  #approvals: ApprovalRow[];
  readonly #past: PastCall[];
  /** The last step of which it was said that all its calls are over. */
  #completed = 0;

  private constructor(run: OpenRun, read: [ConversationRow, MessageRow[], ApprovalRow[]]) {
    this.#run = run;
    [this.#conversation, this.#messages, this.#approvals] = read;
    this.#past = pastCalls(this.#messages);
  }

  /** Reads where the run stands. @throws Lost */
  static async load(run: OpenRun): Promise<RunWork> {
    const { owner, conversation, id, first_seq } = run.row;
    const { db } = run.services;
    const [row, messages, approvals] = await Promise.all([
      getConversationByNumber(db, owner, conversation),
      allMessages(db, { owner, conversation, after: first_seq - 1, turn: id }),
      approvalsOf(db, owner, id),
    ]);
    if (!row) throw new Lost();
    return new RunWork(run, [row, messages, approvals]);
  }

  async state(): Promise<TurnState> {
    const run = this.#run;
    run.throwIfStopped();
    if (run.services.stopping.aborted) throw new HandOver();
    const answers = this.#messages.filter(({ role }) => role === 'assistant');
    const last = answers.at(-1);
    const { limits } = run.settings;
    const calls = last?.toolCalls ?? [];
    const stages = this.#stages();
    if (last && calls.length > 0 && stages.every((stage) => stage === 'over'))
      await this.#completeStep(last, answers.length);
    return {
      limits,
      steps: answers.length,
      calls: stages,
      past: this.#past,
      isDone: declaredSummary(last) !== undefined,
      hasMessages: await this.#hasUnanswered(),
      usedTokens: run.row.total_tokens,
      nextTokens: this.#nextTokens(),
    };
  }

  async ask(withTools: boolean): Promise<void> {
    const step = this.#messages.filter(({ role }) => role === 'assistant').length + 1;
    const input = { messages: this.#messages, step, tools: this.#tools(), mayCall: withTools };
    const done = await askStep(this.#run, { ...input, nextTokens: this.#nextTokens() });
    this.#messages = done.messages;
    this.#conversation = done.conversation;
  }

  async call(position: number): Promise<void> {
    const message = this.#messages.findLast(({ role }) => role === 'assistant');
    const placed = message && placedCall(message, position, this.#approvals);
    if (!message || !placed) throw new Error(`the run has no call ${position}`);
    const row = await callStep(this.#run, placed);
    const toolCalls = message.toolCalls.map((old) => (old.position === position ? row : old));
    this.#messages = this.#messages.map((old) => (old === message ? { ...message, toolCalls } : old));
    const past = pastCall(row, this.#messages.filter(({ role }) => role === 'assistant').length);
    if (past) this.#past.push(past);
    if (row.status === 'pending') await this.#readApprovals();
  }

  async wait(): Promise<boolean> {
    const { owner, id } = this.#run.row;
    const isWaiting = await this.#run.record(async (tx) => {
      this.#approvals = await approvalsOf(tx, owner, id);
      const isAnswered = this.#stages().some((stage) => stage !== 'asked' && stage !== 'over');
      if (isAnswered) return { events: [], value: false };
      const pending = this.#approvals.filter(({ status }) => status === 'pending').map((one) => one.id);
      const event = { type: 'waiting', data: { approvals: pending } };
      return { events: [event], change: { status: 'waiting_approval' as const }, value: true };
    });
    return isWaiting;
  }

  finish(reason: StopReason): Promise<boolean> {
    return finishRun(this.#run, this.#messages, this.#approvals, reason);
  }

  /** Also one that a step has taken up which a crash has ended. */
  async #hasUnanswered(): Promise<boolean> {
    const { owner, id } = this.#run.row;
    return (
      this.#messages.some(({ status }) => status === 'running') || (await hasSteering(this.#run.services.db, owner, id))
    );
  }

  /** Says once that all calls of a step are over. */
  async #completeStep(answer: MessageRow, step: number): Promise<void> {
    if (this.#completed === step) return;
    this.#completed = step;
    const { finishReason = 'tool-calls', duration = 0 } = assistantBody(answer);
    const worked = answer.toolCalls.reduce((sum, call) => sum + (call.duration ?? 0), duration);
    const event = stepComplete(stepData(this.#run, step), answer, finishReason, worked);
    if (await this.#run.hasHappened(event)) return;
    await this.#run.record(() => Promise.resolve({ events: [event], value: undefined }));
  }

  #stages() {
    const last = this.#messages.findLast(({ role }) => role === 'assistant');
    return (last?.toolCalls ?? []).map((row) => stageOf(row, approvalOf(row, this.#approvals)));
  }

  async #readApprovals(): Promise<void> {
    this.#approvals = await approvalsOf(this.#run.services.db, this.#run.row.owner, this.#run.row.id);
  }

  #tools(): OfferedTool[] {
    const { tools } = this.#run.settings;
    return this.#run.services
      .tools()
      .filter(({ name }) => tools.includes(name))
      .map(({ name, description, inputSchema }) => ({ name, description, parameters: inputSchema }));
  }

  /** What the next call of the model will read, going by what the last ones did. */
  #nextTokens(): number {
    const results = this.#messages.at(-1)?.toolCalls.reduce((sum, call) => sum + call.tokens, 0) ?? 0;
    const { live_tokens, token_ratio } = this.#conversation;
    return Math.ceil((live_tokens + results + toolTokens(this.#tools())) * token_ratio);
  }
}
