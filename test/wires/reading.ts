import { expect } from 'vitest';
import { ndjsonFramer, sseFramer } from '../../src/core/framing.ts';
import type { ProviderEvent } from '../../src/providers/chat-model.ts';
import type { Quirks, WireName } from '../../src/providers/profiles.ts';
import { ProtocolError, ReportedError } from '../../src/providers/protocols/protocol.ts';
import { PROTOCOLS } from '../../src/providers/wire/wires.ts';

/** What a reader made of an answer; what is empty is left out. */
export interface Reading {
  text?: string;
  reasoning?: string;
  /** Id, name, arguments; an id that we made is `made`. */
  calls?: unknown[];
  usage?: [number, number];
  finish?: string;
  sources?: string[];
  /** What the provider reported. */
  reported?: string;
  /** Why the bytes were not what the wire promises. */
  broken?: string;
}

/** Reads a whole answer. */
export function readWhole(wire: WireName, body: unknown, quirks: Quirks = {}): Reading {
  const events: ProviderEvent[] = [];
  return summary(events, () => events.push(...PROTOCOLS[wire].read(body, quirks)));
}

/** Reads the body of a stream, in one piece or in pieces of `size` characters. */
export function readStream(wire: WireName, body: string, quirks: Quirks = {}, size = body.length): Reading {
  const { framing, reader: begin } = PROTOCOLS[wire];
  const framer = framing === 'sse' ? sseFramer() : ndjsonFramer();
  const reader = begin(quirks);
  const events: ProviderEvent[] = [];
  return summary(events, () => {
    for (let at = 0; at < body.length && !reader.done; at += size) {
      for (const frame of framer.push(body.slice(at, at + size))) events.push(...reader.step(frame));
    }
    if (!reader.done) for (const frame of framer.end()) events.push(...reader.step(frame));
    events.push(...reader.end());
  });
}

/** The reading of these objects as a stream, which must not depend on where the network cuts it. */
export function readObjects(wire: WireName, objects: unknown[], quirks: Quirks = {}): Reading {
  const lines = objects.map((object) => (typeof object === 'string' ? object : JSON.stringify(object)));
  const body = lines.map((line) => (PROTOCOLS[wire].framing === 'sse' ? `data: ${line}\n\n` : `${line}\n`)).join('');
  const reading = readStream(wire, body, quirks);
  expect(readStream(wire, body, quirks, 1)).toEqual(reading);
  return reading;
}

function summary(events: ProviderEvent[], read: () => void): Reading {
  const failure = failureOf(read);
  const of = <T extends ProviderEvent['type']>(type: T) =>
    events.filter((event): event is Extract<ProviderEvent, { type: T }> => event.type === type);
  const text = of('text').map((event) => event.text);
  const reasoning = of('reasoning').map((event) => event.text);
  const calls = of('tool-call').map(({ call }) => [
    /^call_\w{20,}$/.test(call.id) ? 'made' : call.id,
    call.name,
    call.invalidArguments ?? call.arguments,
  ]);
  const sources = of('source').map(({ source }) => source.url);
  const usage = of('usage').at(-1)?.usage;
  const finish = of('finish').map(({ reason }) => reason);
  expect(finish.length).toBe(failure === undefined ? 1 : 0);
  return {
    ...(text.join('') === '' ? {} : { text: text.join('') }),
    ...(reasoning.join('') === '' ? {} : { reasoning: reasoning.join('') }),
    ...(calls.length === 0 ? {} : { calls }),
    ...(usage ? { usage: [usage.promptTokens, usage.completionTokens] } : {}),
    ...(finish[0] === undefined ? {} : { finish: finish[0] }),
    ...(sources.length === 0 ? {} : { sources }),
    ...failure,
  };
}

function failureOf(read: () => void): Pick<Reading, 'reported' | 'broken'> | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ReportedError) return { reported: error.message };
    if (error instanceof ProtocolError) return { broken: error.message };
    throw error;
  }
}
