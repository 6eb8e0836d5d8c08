import type { JsonObject } from '../core/json.ts';
import type { StoredEvent } from '../storage/run-events.ts';

/**
 * One piece of the AI SDK's UI message stream: `uiMessageChunkSchema` of the package `ai` says what each type has. The
 * first versions of `ai` 6 end at any other field, so what later ones have added is not sent.
 */
export interface UiChunk {
  type: string;
  [field: string]: unknown;
}

/** What the AI SDK calls the reasons of ours; the others are `other`. */
const REASONS = new Set(['stop', 'length', 'content-filter', 'error']);

/**
 * What is known of a run's questions before its events are told. `ai` 6 has no chunk that tells of an answer, and its
 * `validateUIMessages`, as that of 7, takes no result of a call whose part has the question alone, and `output-denied`
 * only where the part says who has denied it. So what was answered is not asked again, and denied is what the page denied.
 */
export interface UiAnswers {
  /** Ids of questions that have their answer. */
  answered: ReadonlySet<string>;
  /** Ids of calls that the client's own message has as denied. */
  denied: ReadonlySet<string>;
}

/** Brings a run's events into the form of a UI message stream. Reads no clock and no database. */
export class UiProjection {
  readonly #known: UiAnswers;
  #isStepOpen = false;
  #open: { type: 'text' | 'reasoning'; id: string } | undefined;
  #reason = 'stop';
  /** The run is over. */
  hasEnded = false;

  /** @param known nothing, if it is not given. */
  constructor(known: UiAnswers = { answered: new Set(), denied: new Set() }) {
    this.#known = known;
  }

  /** The chunks that an event makes. */
  chunks({ type, seq, data: json }: StoredEvent): UiChunk[] {
    const data = JSON.parse(json) as JsonObject;
    switch (type) {
      case 'step:start':
        return this.#beginStep();
      case 'thinking:update':
        return this.#say('reasoning', seq, data.text);
      case 'thinking:end':
        return this.#endPart();
      case 'content':
        return this.#say('text', seq, data.text);
      case 'compaction':
        return [{ type: 'data-compaction', data, transient: true }];
      case 'attempt:reset':
        return this.#reset(data, seq);
      case 'step:complete':
        this.#reason = `${data.finishReason}`;
        return this.#endStep();
      case 'complete':
        return this.#complete(data);
      case 'error':
        return this.#fail(data);
      default:
        return this.#ofCall(type, data);
    }
  }

  /** The end of a stream whose run waits for a person. */
  wait(): UiChunk[] {
    const messageMetadata = { status: 'waiting_approval' };
    return [...this.#endStep(), { type: 'finish', finishReason: 'tool-calls', messageMetadata }];
  }

  #ofCall(type: string, data: JsonObject): UiChunk[] {
    const { toolCallId, name: toolName, arguments: input, text } = data;
    switch (type) {
      case 'tool:call':
        return [...this.#endPart(), { type: 'tool-input-available', toolCallId, toolName, input, dynamic: true }];
      case 'approval:required':
        return this.#ask(data);
      case 'tool:progress':
        return [{ type: 'data-progress', data: { toolCallId, text }, transient: true }];
      case 'tool:result':
        return this.#result(data);
      default:
        return [];
    }
  }

  #ask({ id, toolCallId, toolName, display, reason, securityLevel, expiresAt }: JsonObject): UiChunk[] {
    const details = { approvalId: id, toolCallId, toolName, display, reason, securityLevel, expiresAt };
    const shown = { type: 'data-approval', id, data: details };
    // The call of an id that cannot be stored is asked about all the same, but no part of the message can be named.
    if (toolCallId === '' || this.#known.answered.has(`${id}`)) return [shown];
    return [{ type: 'tool-approval-request', approvalId: id, toolCallId }, shown];
  }

  #result({ toolCallId, status, result }: JsonObject): UiChunk[] {
    if (status === 'success') return [{ type: 'tool-output-available', toolCallId, output: result }];
    // It has no text, so it must not stand for a refusal that only the server knows the reason of.
    const isOwn = status === 'denied' && this.#known.denied.has(`${toolCallId}`);
    if (isOwn) return [{ type: 'tool-output-denied', toolCallId }];
    return [{ type: 'tool-output-error', toolCallId, errorText: `${result}` }];
  }

  #beginStep(): UiChunk[] {
    const before = this.#endStep();
    this.#isStepOpen = true;
    return [...before, { type: 'start-step' }];
  }

  #endStep(): UiChunk[] {
    const before = this.#endPart();
    if (!this.#isStepOpen) return before;
    this.#isStepOpen = false;
    return [...before, { type: 'finish-step' }];
  }

  /** The stream cannot take anything back, so a part of the message tells that what the step has said is void. */
  #reset({ step, reason, message }: JsonObject, seq: number): UiChunk[] {
    const said = { type: 'data-reset', id: `reset-${seq}`, data: { step, reason, message } };
    return [...this.#endPart(), said, ...this.#beginStep()];
  }

  #say(type: 'text' | 'reasoning', seq: number, delta: unknown): UiChunk[] {
    if (this.#open?.type === type) return [{ type: `${type}-delta`, id: this.#open.id, delta }];
    const before = this.#endPart();
    const id = `${type}-${seq}`;
    this.#open = { type, id };
    return [...before, { type: `${type}-start`, id }, { type: `${type}-delta`, id, delta }];
  }

  #endPart(): UiChunk[] {
    if (!this.#open) return [];
    const { type, id } = this.#open;
    this.#open = undefined;
    return [{ type: `${type}-end`, id }];
  }

  #complete(data: JsonObject): UiChunk[] {
    this.hasEnded = true;
    const { inputTokens, outputTokens, totalTokens, cost, totalSteps: steps, stopReason } = data;
    const isWhole = stopReason === 'completed';
    // A run that is `completed` with calls has said so with one of them.
    const reason = this.#reason === 'tool-calls' ? 'stop' : this.#reason;
    const finishReason = isWhole && REASONS.has(reason) ? reason : 'other';
    const usage = { inputTokens, outputTokens, totalTokens };
    const messageMetadata = { status: 'completed', stopReason, steps, usage, cost };
    return [...this.#endStep(), { type: 'finish', finishReason, messageMetadata }];
  }

  #fail({ code, message }: JsonObject): UiChunk[] {
    this.hasEnded = true;
    const status = code === 'CANCELLED' ? 'cancelled' : 'failed';
    const messageMetadata = { status, error: { code, message } };
    const last = status === 'cancelled' ? { type: 'abort' } : { type: 'error', errorText: `${message}` };
    return [...this.#endStep(), { type: 'message-metadata', messageMetadata }, last];
  }
}
