import { asArray, asObject, tryParseJson } from '../../core/json.ts';

const MARK = '"content":';
/** A provider that changes something in every chunk gets nothing from this, so it is soon left alone. */
const MAX_LESSONS = 8;

/**
 * The chunks of a streamed answer differ, as a rule, in nothing but the text they carry. Once one has been read, only
 * the text of those with the very same characters around it needs reading, which is a JSON string of its own. That is
 * most of the work of a stream.
 */
export class Envelope {
  #before = '';
  #after = '';
  #lessons = 0;

  /** The text of a chunk in the known envelope; undefined: the chunk must be read as a whole. */
  open(data: string): string | undefined {
    const start = this.#before.length;
    const end = data.length - this.#after.length;
    if (start === 0 || end <= start) return undefined;
    // Several times as fast as startsWith and endsWith.
    if (data.slice(0, start) !== this.#before || data.slice(end) !== this.#after) return undefined;
    // What is not one whole string, but `"a","b":"c"`, say, is no JSON.
    const text = tryParseJson(data.slice(start, end));
    return typeof text === 'string' ? text : undefined;
  }

  /** Remembers the envelope of a chunk that has this text and nothing else to tell. */
  learn(data: string, text: string): void {
    if (this.#lessons === MAX_LESSONS) return;
    this.#lessons++;
    this.#before = '';
    const literal = JSON.stringify(text);
    const at = data.indexOf(MARK + literal);
    if (at === -1) return;
    const before = data.slice(0, at + MARK.length);
    const after = data.slice(before.length + literal.length);
    // Is that where the text was read, and not a place that looks like it?
    const probe = asObject(asArray(asObject(tryParseJson(`${before}"\\u0000"${after}`)).choices)[0]);
    if (asObject(probe.delta).content !== '\u0000') return;
    this.#before = before;
    this.#after = after;
  }
}
