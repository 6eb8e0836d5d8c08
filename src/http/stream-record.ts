import { isObject, tryParseJson } from '../core/json.ts';

const DATA = 'data: ';

/** Keeps the text of an event stream, to be sent again. */
export class StreamRecord {
  readonly #limit: number;
  readonly #chunks: string[] = [];
  #bytes = 0;

  /** @param limit bytes; of a longer stream nothing is kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Notes a piece that was sent. */
  add(chunk: string): void {
    this.#bytes += Buffer.byteLength(chunk);
    if (this.#bytes <= this.#limit) this.#chunks.push(chunk);
    else this.#chunks.length = 0;
  }

  /** The whole text if the stream ended well: if its last event has `done: true` and no error. */
  whole(): string | undefined {
    const text = this.#chunks.join('');
    const lines = text.slice(text.lastIndexOf('\n\n', text.length - 3) + 1).split('\n');
    const data = lines.find((line) => line.startsWith(DATA)) ?? '';
    const last = tryParseJson(data.slice(DATA.length));
    return isObject(last) && last.done === true && last.error === undefined ? text : undefined;
  }
}
