/** One frame of a stream: the SSE event name ('' where there is none) and its data. */
export interface Frame {
  event: string;
  data: string;
}

/** Turns decoded text, cut anywhere, into frames. `end` returns what was left without a closing line end. */
export interface Framer {
  push(text: string): Frame[];
  end(): Frame[];
}

/** No real line of a provider comes near this; beyond it the stream is nonsense and must not fill the memory. */
export const MAX_LINE_CHARS = 32 * 1024 * 1024;

/** A line grew past {@link MAX_LINE_CHARS}. */
export class LineTooLongError extends Error {}

/**
 * Splits text into lines (LF or CRLF). Pieces without a line end are only collected, not joined, so a line of
 * n characters that arrives in single bytes costs O(n).
 */
class LineSplitter {
  #held: string[] = [];
  #heldLength = 0;

  /** The lines that `text` completes, without their ends. */
  push(text: string): string[] {
    let end = text.indexOf('\n');
    if (end === -1) {
      this.#hold(text);
      return [];
    }
    const lines: string[] = [];
    let start = 0;
    while (end !== -1) {
      const piece = text.slice(start, end);
      lines.push(withoutCr(this.#heldLength === 0 ? piece : this.#take(piece)));
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    if (start < text.length) this.#hold(text.slice(start));
    return lines;
  }

  /** The last line if it had no end, else ''. */
  end(): string {
    return withoutCr(this.#take(''));
  }

  #hold(text: string): void {
    this.#heldLength += text.length;
    if (this.#heldLength > MAX_LINE_CHARS) throw new LineTooLongError(`a line of over ${MAX_LINE_CHARS} characters`);
    this.#held.push(text);
  }

  #take(last: string): string {
    this.#held.push(last);
    const line = this.#held.join('');
    this.#held = [];
    this.#heldLength = 0;
    return line;
  }
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): `data` lines of one event
 * are joined by LF, comments and unknown fields are dropped. One leniency: an event that the stream's end cuts off
 * before its blank line still counts, because providers forget that line.
 */
export function sseFramer(): Framer {
  const lines = new LineSplitter();
  let event = '';
  let data: string | undefined;

  function take(line: string, frames: Frame[]): void {
    if (line === '') {
      if (data !== undefined) frames.push({ event, data });
      event = '';
      data = undefined;
    } else if (line.startsWith('data:')) {
      const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
      if (data.length > MAX_LINE_CHARS) throw new LineTooLongError(`an event of over ${MAX_LINE_CHARS} characters`);
    } else if (line.startsWith('event:')) {
      event = line.slice(line.charCodeAt(6) === 32 ? 7 : 6);
    }
  }

  return {
    push(text) {
      const frames: Frame[] = [];
      for (const line of lines.push(text)) take(line, frames);
      return frames;
    },
    end() {
      const frames: Frame[] = [];
      take(lines.end(), frames);
      take('', frames);
      return frames;
    },
  };
}

/** Newline-delimited JSON: every line that is not blank is a frame. */
export function ndjsonFramer(): Framer {
  const lines = new LineSplitter();
  const frame = (data: string): Frame[] => (data.trim() === '' ? [] : [{ event: '', data }]);
  return {
    push: (text) => lines.push(text).flatMap(frame),
    end: () => frame(lines.end()),
  };
}
