import { withOrigin } from '../chat/answer.ts';
import type { StartedCompletion } from '../chat/complete.ts';
import type { JsonObject } from '../core/json.ts';
import { toAppError } from '../errors.ts';
import type { Wire } from '../http/wire.ts';
import type { Origin, ProviderEvent, Usage } from '../providers/chat-model.ts';
import { callCarrier, signatureOf, type ThinkingBlock, textCarrier, thinkingBlock } from './messages-carrier.ts';
import { emptyMessage, endOf, messageUsage } from './messages-output.ts';
import { withSilences } from './silences.ts';

/** For how long nothing may be sent, in milliseconds. */
const PING_MS = 12_000;
const PING = sse({ type: 'ping' });

/**
 * The events of a streamed answer, in Anthropic's order. What goes wrong is the last one, `error`.
 * @param wire says what an error looks like.
 */
export async function* messageEvents(
  started: StartedCompletion,
  id: string,
  { requestId, wire }: { requestId: string; wire: Wire },
): AsyncGenerator<string> {
  const { ref, events } = started;
  const writer = new BlockWriter(ref);
  let usage: Usage | undefined;
  let finish: Extract<ProviderEvent, { type: 'finish' }> = { type: 'finish', reason: 'stop' };
  let hasBegun = false;
  try {
    for await (const batch of withSilences(events, PING_MS)) {
      if (!batch) {
        yield PING;
        continue;
      }
      let out = '';
      for (const event of batch) {
        if (event.type === 'error') throw event.error;
        if (event.type === 'usage') usage = event.usage;
        else if (event.type === 'finish') finish = event;
        else out += writer.write(event);
      }
      if (!hasBegun) {
        hasBegun = true;
        const counts = { ...messageUsage(ref.provider, usage), output_tokens: 0 };
        out = sse({ type: 'message_start', message: emptyMessage(id, ref.model, counts) }) + PING + out;
      }
      if (out !== '') yield out;
    }
    const delta = endOf(finish.reason, finish.stopSequence, ref.provider);
    yield writer.end() +
      sse({ type: 'message_delta', delta, usage: messageUsage(ref.provider, usage) }) +
      sse({ type: 'message_stop' });
  } catch (error) {
    const { body } = wire.errorReply(toAppError(error), requestId);
    yield `event: error\ndata: ${JSON.stringify(body)}\n\n`;
  }
}

function sse(data: { type: string; [field: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

type Piece = Extract<ProviderEvent, { type: 'text' | 'reasoning' }>;

/** Writes pieces as blocks: one begins where the kind of the pieces changes. */
class BlockWriter {
  readonly #origin: Origin;
  #index = -1;
  #open: Piece['type'] | undefined;
  /** All of an open block's deltas up to their text. */
  #head = '';

  constructor(origin: Origin) {
    this.#origin = { provider: origin.provider, model: origin.model };
  }

  /** @returns '' for what has no place in a block. */
  write(event: ProviderEvent): string {
    if (event.type === 'text' || event.type === 'reasoning') return this.#piece(event);
    if (event.type !== 'tool-call') return '';
    const call = withOrigin(event.call, this.#origin);
    const { id, name } = call;
    return (
      this.end() +
      this.#whole(callCarrier(call)) +
      this.#begin({ type: 'tool_use', id, name, input: {} }) +
      this.#delta({ type: 'input_json_delta', partial_json: JSON.stringify(call.arguments) }) +
      this.#stop()
    );
  }

  /** Ends the block that is open, if one is. */
  end(data?: JsonObject): string {
    const open = this.#open;
    if (!open) return '';
    this.#open = undefined;
    const part = { origin: this.#origin, ...(data ? { data } : {}) };
    if (open === 'text') return this.#stop() + this.#whole(textCarrier({ ...part, text: '…' }));
    return this.#delta({ type: 'signature_delta', signature: signatureOf(part) }) + this.#stop();
  }

  #piece({ type, text, data }: Piece): string {
    let out = '';
    if (this.#open !== type) {
      if (text === '' && !data) return '';
      out = this.end();
      if (text === '') {
        const part = { text, origin: this.#origin, ...(data ? { data } : {}) };
        return out + this.#whole(type === 'text' ? textCarrier(part) : thinkingBlock(part));
      }
      out += this.#beginPieces(type);
    }
    // Most of what is ever sent: the envelope is ready.
    if (text !== '') out += `${this.#head}${JSON.stringify(text)}}}\n\n`;
    return data ? out + this.end(data) : out;
  }

  #beginPieces(type: Piece['type']): string {
    const out = this.#begin(type === 'text' ? { type, text: '' } : { type: 'thinking', thinking: '', signature: '' });
    this.#open = type;
    const field = type === 'text' ? '"text_delta","text"' : '"thinking_delta","thinking"';
    const start = `{"type":"content_block_delta","index":${this.#index},"delta":{"type":${field}:`;
    this.#head = `event: content_block_delta\ndata: ${start}`;
    return out;
  }

  /** A block that comes in one piece; '' for none. */
  #whole(block: ThinkingBlock | undefined): string {
    if (!block) return '';
    if (block.type === 'redacted_thinking') return this.#begin({ ...block }) + this.#stop();
    const { signature } = block;
    return (
      this.#begin({ ...block, signature: '' }) + this.#delta({ type: 'signature_delta', signature }) + this.#stop()
    );
  }

  #begin(content_block: JsonObject): string {
    this.#index++;
    return sse({ type: 'content_block_start', index: this.#index, content_block });
  }

  #delta(delta: JsonObject): string {
    return sse({ type: 'content_block_delta', index: this.#index, delta });
  }

  #stop(): string {
    return sse({ type: 'content_block_stop', index: this.#index });
  }
}
