import type { Json } from '../server.ts';

/** An answer, read as JSON. */
export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

/** Fields that nobody else may ever see. */
const SENT_SECRETS = ['password', 'currentPassword', 'inviteCode', 'key'];
const GIVEN_SECRETS = ['secret', 'code'];

let addresses = 0;

/** Somebody with a browser, which keeps the session's cookie, or a program with an API key. */
export class Visitor {
  readonly url: string;
  /** From where the server sees it. */
  readonly address: string;
  readonly #headers: Record<string, string>;
  /** What the cookie holds; undefined: there is none. */
  cookie: string | undefined;
  /** What it has sent or got that must not be found anywhere. */
  readonly secrets = new Set<string>();

  constructor(url: string, headers: Record<string, string> = {}, address = '127.0.0.1') {
    this.url = url;
    this.address = address;
    this.#headers = headers;
    const [key] = /profclaw_[\w-]{43}$/.exec(headers.authorization ?? '') ?? [];
    if (key !== undefined) this.secrets.add(key);
  }

  /** Somebody with an address that nobody else has, behind the trusted proxy. */
  static from(url: string, headers: Record<string, string> = {}): Visitor {
    addresses++;
    const address = `10.1.${addresses >> 8}.${addresses & 255}`;
    return new Visitor(url, { 'x-forwarded-for': address, ...headers }, address);
  }

  /**
   * Sends a request. An answer that repeats a secret which came with the request is thrown.
   * @param headers in place of its own.
   */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = this.cookie === undefined ? {} : { cookie: `profclaw_session=${this.cookie}` };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = { 'user-agent': 'test browser', ...cookie, ...type, ...this.#headers, ...headers };
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(this.url + path, { method, headers: sent, body: text });
    const answer = await response.text();
    for (const secret of textsOf(body, SENT_SECRETS)) {
      this.secrets.add(secret);
      if (answer.includes(secret)) throw new Error(`${method} ${path} says a secret again: ${answer}`);
    }
    this.#keepCookie(response.headers.get('set-cookie'));
    const read = answer === '' ? undefined : JSON.parse(answer);
    if (response.ok) for (const secret of textsOf(read, GIVEN_SECRETS)) this.secrets.add(secret);
    return { status: response.status, body: read, headers: response.headers };
  }

  /** The body of an answer that must be a good one. */
  async must(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body: unknown = {}): Promise<Answer> {
    return this.send('POST', path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.send('PATCH', path, body);
  }

  remove(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }

  /** The id of the session that its cookie stands for. */
  async session(): Promise<string> {
    const { sessions } = await this.must('GET', '/api/auth/sessions');
    return sessions.find(({ current }: Json) => current).id;
  }

  /** Somebody else with the same cookie, as a thief would have it. */
  copy(): Visitor {
    return this.at(this.url);
  }

  /** The same one at another server. */
  at(url: string): Visitor {
    const copy = new Visitor(url, this.#headers, this.address);
    copy.cookie = this.cookie;
    return copy;
  }

  #keepCookie(header: string | null): void {
    const value = /^profclaw_session=([^;]*)/.exec(header ?? '')?.[1];
    if (value === undefined) return;
    this.cookie = value === '' ? undefined : value;
    if (value !== '') this.secrets.add(value);
  }
}

function textsOf(body: unknown, fields: readonly string[]): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const named = Object.entries(body).filter(([name]) => fields.includes(name));
  return named.flatMap(([, value]) => (typeof value === 'string' && value.length >= 8 ? [value] : []));
}
