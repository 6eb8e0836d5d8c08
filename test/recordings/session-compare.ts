import { expect } from 'vitest';
import type { Json } from '../server.ts';
import type { Recording } from './recordings.ts';
import {
  type Back,
  callsOf,
  commonBase64,
  type Dialogue,
  flatten,
  isRecorded,
  jsonOr,
  type Part,
} from './session-dialogue.ts';

/**
 * Does our request upstream say what the recorded one said? Parameters that the model does not take are named in
 * `warnings`.
 */
export function expectSame(sent: Dialogue, recorded: Dialogue, warnings: string[], what: string): void {
  expect(flatten(sent).said, what).toEqual(flatten(recorded).said);
  const isLeftOut = (name: string): boolean => warnings.some((warning) => warning.startsWith(name));
  if (!isLeftOut('temperature')) expect(sent.temperature, what).toBe(recorded.temperature);
  // Anthropic's wire demands a limit, so one is sent even if none is asked for.
  if (recorded.maxTokens !== undefined) expect(sent.maxTokens, what).toBe(recorded.maxTokens);
  if (isLeftOut('tools')) return;
  expect(sent.tools, what).toEqual(recorded.tools);
  if (!isLeftOut('toolChoice')) expect(sent.toolChoice, what).toBe(recorded.toolChoice);
}

/** The reasoning, signatures and encrypted copies that the recorded client sent back and we did not. */
export function lost(sent: Dialogue, recorded: Dialogue): Back[] {
  const ours = flatten(sent).back;
  const isThere = ({ at, text, opaque }: Back): boolean =>
    ours.some((item) => {
      if (item.at !== at || !isRecorded(item.text, text)) return false;
      return opaque === undefined || isRecorded(commonBase64(item.opaque ?? ''), commonBase64(opaque));
    });
  return flatten(recorded).back.filter((item) => !isThere(item));
}

/** The ids of tool calls that are others in our request than in the recorded one. */
export function changedIds(sent: Dialogue, recorded: Dialogue): string[] {
  const idsOf = ({ turns }: Dialogue): string[] =>
    turns.flatMap((turn) => (turn.role === 'assistant' ? callsOf(turn.parts).map(({ id }) => id) : []));
  const ours = idsOf(sent);
  return idsOf(recorded).filter((id, place) => id !== ours[place]);
}

/** A dialogue without the reasoning and opaque values of some assistant turns. */
export function withoutReasoning(dialogue: Dialogue, turns: Part[][]): Dialogue {
  const strip = (parts: Part[]): Part[] =>
    parts.flatMap((part) => (part.type === 'reasoning' ? [] : [{ ...part, opaque: undefined }]));
  return {
    ...dialogue,
    turns: dialogue.turns.map((turn) =>
      turn.role === 'assistant' && turns.includes(turn.parts) ? { ...turn, parts: strip(turn.parts) } : turn,
    ),
  };
}

const OPAQUE = new Set(['signature', 'thoughtSignature', 'encrypted_content']);

/** The values in a recorded answer that only its provider can read; it wants them back whatever a client did. */
export function opaqueIn(kind: Recording['response']['kind'], body: string): string[] {
  const frames = kind === 'json' ? [body] : body.split('\n').map((line) => line.replace(/^data:/, ''));
  const found = new Set<string>();
  const visit = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return;
    // Hosted tools, which our API does not have, give results that are encrypted too.
    if (String(value.type).endsWith('_tool_result')) return;
    if (value.type === 'redacted_thinking') found.add(value.data);
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'string' && inner !== '' && OPAQUE.has(key)) found.add(inner);
      else visit(inner);
    }
  };
  for (const frame of frames) {
    const event = jsonOr(frame) as Json;
    // Responses repeat an item in several events, each time encrypted anew; at first it is not finished.
    if (!/^response\./.test(event.type ?? '') || event.type === 'response.output_item.done') visit(event);
  }
  return [...found];
}
