import { asString } from '../core/json.ts';
import type { NewEvent } from '../storage/run-events.ts';

/** Pieces of text that may be put together. */
const MERGES = new Set(['content', 'thinking:update', 'tool:progress']);

/** Adds an event to others, or its text to the last one if that goes on. @returns by how many characters they grew. */
export function addDelta(events: NewEvent[], event: NewEvent): number {
  const last = events.at(-1);
  const text = asString(event.data.text);
  if (last && continues(last, event)) {
    events[events.length - 1] = { ...last, data: { ...last.data, text: asString(last.data.text) + text } };
  } else events.push(event);
  return text.length;
}

/** Is an event the next piece of the text that another one has begun? */
export function continues(last: Pick<NewEvent, 'type' | 'data'>, event: Pick<NewEvent, 'type' | 'data'>): boolean {
  return (
    MERGES.has(event.type) &&
    last.type === event.type &&
    last.data.step === event.data.step &&
    last.data.toolCallId === event.data.toolCallId
  );
}
