import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import type { ProviderEvent, Source } from '../chat-model.ts';

/**
 * Reads the pages that an answer rests on: Perplexity's `search_results` and `citations` beside the message, which
 * every chunk repeats, and `url_citation` annotations inside it (OpenAI, OpenRouter). Gives each address once.
 */
export class Sources {
  readonly #given = new Set<string>();

  /** The new ones of a chunk, or of a whole answer, and of its message. */
  read(chunk: JsonObject, message: JsonObject, events: ProviderEvent[]): void {
    if (!chunk.search_results && !chunk.citations && !message.annotations) return;
    for (const result of asArray(chunk.search_results)) this.give(toSource(result), events);
    for (const url of asArray(chunk.citations)) this.give({ url: asString(url) }, events);
    for (const note of asArray(message.annotations)) {
      const annotation = asObject(note);
      if (annotation.type === 'url_citation') this.give(toSource(annotation.url_citation ?? annotation), events);
    }
  }

  /** A page, unless it was given before or has no address. */
  give(source: Source, events: ProviderEvent[]): void {
    if (source.url === '' || this.#given.has(source.url)) return;
    this.#given.add(source.url);
    events.push({ type: 'source', source });
  }
}

/** A page by its `url` and `title`; the address is '' if there is none. */
export function toSource(value: unknown): Source {
  const { url, title } = asObject(value);
  return { url: asString(url), ...(asString(title) === '' ? {} : { title: asString(title) }) };
}
