import { newId } from '../../core/ids.ts';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import type { ToolCall } from '../chat-model.ts';
import { JsonEnd } from './json-end.ts';

/** A piece of a tool call as a stream brings it; '' or undefined where the piece does not say. */
export interface ToolCallPiece {
  id: string;
  index: number | undefined;
  name: string;
  /** A piece of JSON text, or the whole arguments as an object. */
  arguments: unknown;
}

const MAX_NESTING = 100;
/** Stands for arguments that could not be written as JSON again. */
const TOO_DEEP = `(arguments nested more than ${MAX_NESTING} levels deep)`;

class OpenCall {
  id: string;
  name: string;
  readonly index: number | undefined;
  readonly #pieces: string[] = [];
  #whole: JsonObject | undefined;
  readonly #end = new JsonEnd();

  constructor({ id, index, name }: ToolCallPiece) {
    this.id = id;
    this.index = index;
    this.name = name;
  }

  add(args: unknown): void {
    if (isObject(args)) this.#whole = args;
    else if (args !== undefined && args !== null) this.#pieces.push(textOf(args));
  }

  get arguments(): unknown {
    return this.#whole ?? this.#pieces.join('');
  }

  /** Are the arguments a whole object, so that what follows is another call's? */
  isComplete(): boolean {
    return this.#whole !== undefined || this.#end.isAt(this.#pieces);
  }

  /** Does a piece say the same once more? */
  isRepeatedBy(args: unknown): boolean {
    return isNothing(args) || textOf(args) === textOf(this.arguments);
  }
}

/**
 * Puts streamed tool calls together. Pieces belong together by id, else by index, else by order; vendors give all
 * calls the index 0 or the same id, leave out ids, or repeat them and the name, so none of them is trusted alone.
 */
export class ToolCallGatherer {
  readonly #open: OpenCall[] = [];
  /** The latest call of each id and of each index. */
  readonly #byId = new Map<string, OpenCall>();
  readonly #byIndex = new Map<number, OpenCall>();

  add(piece: ToolCallPiece): void {
    const sameId = piece.id === '' ? undefined : this.#byId.get(piece.id);
    if (sameId && !isOther(sameId, piece) && !this.#isElsewhere(sameId, piece)) {
      // Once whole, a call with its name is the same call told once more.
      if (piece.name === '' || !sameId.isComplete()) this.#extend(sameId, piece);
    } else this.#extend(this.#byPlace(piece) ?? this.#begin(piece), piece);
  }

  /** All calls in the order they began, with ids that differ. Pieces that never got a name are no calls. */
  finish(): ToolCall[] {
    const given = new Set<string>();
    return this.#open
      .filter((call) => call.name !== '')
      .map((call) => {
        const made = wholeCall(given.has(call.id) ? '' : call.id, call.name, call.arguments);
        given.add(made.id);
        return made;
      });
  }

  /** Some give what continues any call one id, such as "null"; then the index knows better. */
  #isElsewhere(call: OpenCall, { index, name }: ToolCallPiece): boolean {
    return name === '' && index !== undefined && index !== call.index && this.#byIndex.has(index);
  }

  #byPlace(piece: ToolCallPiece): OpenCall | undefined {
    const call = piece.index === undefined ? this.#open.at(-1) : this.#byIndex.get(piece.index);
    if (!call) return undefined;
    // A name begins a call: the same place under another id, or after complete arguments, is another call.
    if (piece.name !== '' && call.name !== '') {
      if (piece.name !== call.name || (piece.id !== '' && call.id !== '')) return undefined;
      if (call.isComplete() && !isNothing(piece.arguments)) return undefined;
    }
    return call;
  }

  #begin(piece: ToolCallPiece): OpenCall {
    const call = new OpenCall(piece);
    this.#open.push(call);
    if (piece.index !== undefined) this.#byIndex.set(piece.index, call);
    return call;
  }

  #extend(call: OpenCall, piece: ToolCallPiece): void {
    if (call.id === '') call.id = piece.id;
    if (call.name === '') call.name = piece.name;
    if (piece.id !== '') this.#byId.set(piece.id, call);
    call.add(piece.arguments);
  }
}

function isNothing(args: unknown): boolean {
  return args === undefined || args === null || (typeof args === 'string' && args.trim() === '');
}

/** Is a piece with a call's id and a name another call all the same? Its index says so, or other whole arguments. */
function isOther(call: OpenCall, { index, name, arguments: args }: ToolCallPiece): boolean {
  if (name === '' || call.name === '') return false;
  if (index !== undefined && call.index !== undefined && index !== call.index) return true;
  return call.isComplete() && !call.isRepeatedBy(args);
}

/** A tool call that came in one piece: an id is made if it has none, and arguments may be an object or JSON text. */
export function wholeCall(id: string, name: string, args: unknown): ToolCall {
  return { id: id || newId('call'), name, ...(isObject(args) ? boundedArguments(args) : parseArguments(textOf(args))) };
}

function textOf(args: unknown): string {
  if (typeof args === 'string') return args;
  if (!isNestedAtMost(args, MAX_NESTING)) return TOO_DEEP;
  return args === undefined ? '' : JSON.stringify(args);
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

function boundedArguments(args: JsonObject): Pick<ToolCall, 'arguments' | 'invalidArguments'> {
  if (isNestedAtMost(args, MAX_NESTING)) return { arguments: args };
  return { arguments: {}, invalidArguments: TOO_DEEP };
}
