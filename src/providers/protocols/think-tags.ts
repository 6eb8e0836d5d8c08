import type { ProviderEvent } from '../chat-model.ts';

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Takes reasoning that stands as `<think>…</think>` at the beginning of a text out of it. Tags may be cut anywhere
 * by the stream. A tag later in the text is text: somebody may be writing about tags.
 */
export function thinkSplitter(): { push(text: string): ProviderEvent[]; end(): ProviderEvent[] } {
  let state: 'before' | 'inside' | 'gap' | 'after' = 'before';
  let held = '';

  function advance(events: ProviderEvent[]): void {
    if (state === 'before') {
      const start = held.trimStart();
      if (start.startsWith(OPEN)) {
        state = 'inside';
        held = start.slice(OPEN.length);
      } else if (!OPEN.startsWith(start)) state = 'after';
    }
    if (state === 'inside') {
      const end = held.indexOf(CLOSE);
      const sure = end === -1 ? held.length - overlap(held, CLOSE) : end;
      if (sure > 0) events.push({ type: 'reasoning', text: held.slice(0, sure) });
      held = held.slice(end === -1 ? sure : end + CLOSE.length);
      if (end !== -1) state = 'gap';
    }
    if (state === 'gap') {
      held = held.trimStart();
      if (held !== '') state = 'after';
    }
    if (state === 'after' && held !== '') {
      events.push({ type: 'text', text: held });
      held = '';
    }
  }

  return {
    push(text) {
      if (state === 'after') return [{ type: 'text', text }];
      const events: ProviderEvent[] = [];
      held += text;
      advance(events);
      return events;
    },
    end() {
      if (held === '' || state === 'gap') return [];
      return [{ type: state === 'inside' ? 'reasoning' : 'text', text: held }];
    },
  };
}

/** How many characters at the end of `text` could be the beginning of `tag`. */
function overlap(text: string, tag: string): number {
  for (let n = Math.min(tag.length - 1, text.length); n > 0; n--) if (text.endsWith(tag.slice(0, n))) return n;
  return 0;
}
