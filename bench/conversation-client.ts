import { Pool } from 'undici';

/** A conversation's message, as far as the bench reads it. */
export interface StoredMessage {
  id: string;
  seq: number;
  role: 'user' | 'assistant';
  status: string;
  content: string;
}

/** What a turn is answered with. */
export interface TurnAnswer {
  userMessage: StoredMessage;
  assistantMessage: StoredMessage;
}

/** Speaks with one server over kept-alive connections. */
export class ConversationClient {
  readonly #pool: Pool;

  constructor(url: string, connections = 1) {
    this.#pool = new Pool(url, { connections, pipelining: 1 });
  }

  /** Sends a request and gives the answer's text. @throws Error if the status is none of success. */
  async text(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<string> {
    const sent =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await this.#pool.request({ method, path, ...sent });
    const text = await answer.body.text();
    if (answer.statusCode < 300) return text;
    throw new Error(`${method} ${path} was answered with ${answer.statusCode}: ${text.slice(0, 500)}`);
  }

  /** The same for JSON. */
  async json<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    return JSON.parse(await this.text(method, path, body)) as T;
  }

  /** Sends a message and waits for its answer, whole or streamed. @throws Error if a stream is not whole. */
  async send(id: string, content: string, stream = false): Promise<TurnAnswer> {
    const path = `/api/chat/conversations/${id}/messages`;
    if (!stream) return await this.json('POST', path, { content });
    const text = await this.text('POST', path, { content, stream });
    const events = text
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => JSON.parse(event.slice(6)) as { content?: string; done?: true } & Partial<TurnAnswer>);
    const { userMessage, assistantMessage } = events.at(-1) ?? {};
    const streamed = events.map((event) => event.content ?? '').join('');
    if (userMessage && assistantMessage?.content === streamed) return { userMessage, assistantMessage };
    throw new Error(`a stream that is not whole: ${text.slice(-500)}`);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
