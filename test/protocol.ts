import type { ChatRequest, ProviderEvent } from '../src/providers/chat-model.ts';
import type { Quirks } from '../src/providers/profiles.ts';
import type { Protocol, WireRequest } from '../src/providers/protocols/protocol.ts';

/** What a protocol makes of a streamed answer; a frame's data is text, or a value that goes as JSON. */
export function readStream(protocol: Protocol, sent: readonly unknown[], quirks: Quirks = {}): ProviderEvent[] {
  const reader = protocol.reader(quirks);
  const frames = sent.map((data) => ({ event: '', data: typeof data === 'string' ? data : JSON.stringify(data) }));
  return [...frames.flatMap((frame) => reader.step(frame)), ...reader.end()];
}

/** What a protocol makes of a request that has nothing but what is given. */
export function lowerWith(
  protocol: Protocol,
  given: Partial<ChatRequest> & { model: string },
  quirks: Quirks = {},
): WireRequest {
  const nothing = { messages: [], tools: [], toolChoice: undefined, temperature: undefined, maxTokens: undefined };
  return protocol.lower({ ...nothing, stream: false, ...given }, quirks);
}
