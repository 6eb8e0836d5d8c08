import { newId } from '../../core/ids.ts';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import type { ToolCall } from '../types.ts';

/** A piece of a tool call as a stream brings it; '' or undefined where the piece does not say. */
export interface ToolCallPiece {
  id: string;
  index: number | undefined;
  name: string;
  /** A piece of JSON text, or the whole arguments as an object. */
  arguments: unknown;
}

const MAX_NESTING = 100;

interface OpenCall {
  id: string;
  index: number | undefined;
  name: string;
  pieces: string[];
  whole: JsonObject | undefined;
}

/**
 * Puts streamed tool calls together. Pieces belong together by id, else by index, else by order; vendors give all
 * calls the index 0, leave out ids, or repeat both, so none of them is trusted alone.
 */
export class ToolCallGatherer {
  readonly #open: OpenCall[] = [];

  add(piece: ToolCallPiece): void {
    const call = this.#find(piece) ?? this.#begin(piece);
    if (call.id === '') call.id = piece.id;
    if (call.name === '') call.name = piece.name;
    if (typeof piece.arguments === 'string') call.pieces.push(piece.arguments);
    else if (isObject(piece.arguments)) call.whole = piece.arguments;
  }

  /** All calls in the order they began. Pieces that never got a name are no calls. */
  finish(): ToolCall[] {
    return this.#open
      .filter((call) => call.name !== '')
      .map((call) => wholeCall(call.id, call.name, call.whole ?? call.pieces.join('')));
  }

  #find(piece: ToolCallPiece): OpenCall | undefined {
    const sameId = piece.id === '' ? undefined : this.#open.find((call) => call.id === piece.id);
    if (sameId) return sameId;
    const byPlace =
      piece.index === undefined ? this.#open.at(-1) : this.#open.findLast((call) => call.index === piece.index);
    if (!byPlace) return undefined;
    // A name begins a call: the same place under another id, or after complete arguments, is another call.
    if (piece.name !== '' && byPlace.name !== '') {
      if (piece.id !== '' && byPlace.id !== '') return undefined;
      if (isComplete(byPlace)) return undefined;
    }
    return byPlace;
  }

  #begin(piece: ToolCallPiece): OpenCall {
    const call: OpenCall = { id: piece.id, index: piece.index, name: piece.name, pieces: [], whole: undefined };
    this.#open.push(call);
    return call;
  }
}

/** A tool call that came in one piece: an id is made if it has none, and arguments may be an object or JSON text. */
export function wholeCall(id: string, name: string, args: unknown): ToolCall {
  return { id: id || newId('call'), name, ...(isObject(args) ? boundedArguments(args) : parseArguments(textOf(args))) };
}

function textOf(args: unknown): string {
  if (typeof args === 'string') return args;
  return args === undefined ? '' : JSON.stringify(args);
}

function isComplete(call: OpenCall): boolean {
  return call.whole !== undefined || isObject(tryParseJson(call.pieces.join('')));
}

/**
 * Reads the arguments that a model wrote. Nothing, `null` and the string `"null"` mean no arguments; anything that
 * is not an object, cut JSON above all, is kept as it was written.
 */
export function parseArguments(text: string): Pick<ToolCall, 'arguments' | 'invalidArguments'> {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'null' || trimmed === '"null"') return { arguments: {} };
  const parsed = tryParseJson(trimmed);
  if (isObject(parsed)) return boundedArguments(parsed);
  // Some models write the object as JSON inside a JSON string.
  const inner = typeof parsed === 'string' ? tryParseJson(parsed) : undefined;
  return isObject(inner) ? boundedArguments(inner) : { arguments: {}, invalidArguments: text };
}

/** What is nested too deeply could not be written as JSON again. */
function boundedArguments(args: JsonObject): Pick<ToolCall, 'arguments' | 'invalidArguments'> {
  if (isNestedAtMost(args, MAX_NESTING)) return { arguments: args };
  return { arguments: {}, invalidArguments: `(arguments nested more than ${MAX_NESTING} levels deep)` };
}
