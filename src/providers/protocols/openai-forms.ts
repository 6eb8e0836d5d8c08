import type { Frame } from '../../core/framing.ts';
import { isObject, tryParseJson } from '../../core/json.ts';
import type { ProviderEvent } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Protocol, StreamReader } from './protocol.ts';

/**
 * The protocol, but reading whichever of OpenAI's two forms the answer has: gateways behind a changed base URL give
 * the one for the other. The first object that has the marks of either form decides.
 */
export function readingBothForms(protocol: Protocol): Protocol {
  return {
    ...protocol,
    read: (body, quirks) => (formOf(body) ?? protocol).read(body, quirks),
    reader: (quirks) => new EitherReader(protocol, quirks),
  };
}

function formOf(value: unknown): Protocol | undefined {
  if (!isObject(value)) return undefined;
  if (Array.isArray(value.choices)) return openaiChat;
  const { type, object } = value;
  return object === 'response' || (typeof type === 'string' && type.startsWith('response.'))
    ? openaiResponses
    : undefined;
}

class EitherReader implements StreamReader {
  readonly #quirks: Quirks;
  #reader: StreamReader;
  #isDecided = false;

  constructor(asked: Protocol, quirks: Quirks) {
    this.#quirks = quirks;
    this.#reader = asked.reader(quirks);
  }

  get done(): boolean {
    return this.#reader.done;
  }

  step(frame: Frame): ProviderEvent[] {
    if (!this.#isDecided) this.#decide(frame.data);
    return this.#reader.step(frame);
  }

  end(): ProviderEvent[] {
    return this.#reader.end();
  }

  /** What comes before the decision, pings and the like, says nothing in either form. */
  #decide(data: string): void {
    const form = formOf(tryParseJson(data));
    if (form === undefined) return;
    this.#isDecided = true;
    this.#reader = form.reader(this.#quirks);
  }
}
