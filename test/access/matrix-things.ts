import { randomBytes } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { Json } from '../server.ts';
import { hashOf } from './matrix-callers.ts';
import { type Credential, OF_THE_TEST, type OpenServer, SCRIPT } from './matrix-server.ts';

const CONVERSATIONS = '/api/chat/conversations';

/** What is needed of a server. */
export type Place = Pick<OpenServer, 'ask' | 'db'>;

/** The ids of a path's parameters. */
export type Ids = Readonly<Record<string, string>>;

/** Makes what the ids of paths stand for, as one caller, with some words in every text. */
export class Things {
  readonly #server: Place;
  readonly #maker: Credential;
  readonly #words: string;

  /** @param maker somebody who may do everything for which things are made. */
  constructor(server: Place, maker: Credential, words: string) {
    this.#server = server;
    this.#maker = maker;
    this.#words = words;
  }

  /** Makes a thing of the kind that this path (`/api/tasks/{id}`) is about. */
  async make(path: string): Promise<Ids> {
    // The only provider that can be asked without a network.
    if (/\/\{type\}\/(models|health)$/.test(path)) return { type: 'demo' };
    if (path.startsWith('/v1/models/')) return { id: 'demo/demo' };
    if (path.startsWith('/assets/')) return { name: SCRIPT };
    // Those of a run that waits do not end.
    if (path.endsWith('/events')) return await this.ended();
    const [kind] = Object.keys(this.#makers)
      .filter((start) => path.startsWith(`${start}/{`))
      .toSorted((a, b) => b.length - a.length);
    if (kind === undefined) throw new Error(`say in matrix-things.ts what the parameters of ${path} stand for`);
    return await this.#makers[kind]!();
  }

  /** Sends a request as the maker, and gives the body of the success. */
  async post(path: string, body: object): Promise<Json> {
    const answer = await this.#server.ask('POST', path, this.#maker, body);
    expect({ path, ...answer }).toMatchObject({ status: expect.toBeOneOf([200, 201]) });
    return answer.body;
  }

  /** A conversation with a question and its answer. */
  async conversation(): Promise<Ids> {
    const said = `${this.#words} said`;
    const messages = [
      { role: 'user', content: said },
      { role: 'assistant', content: said },
    ];
    const conversation = {
      title: this.#words,
      metadata: { note: this.#words },
      systemPrompt: this.#words,
      model: 'demo',
    };
    const { id } = (await this.post(`${CONVERSATIONS}/import`, { conversation, messages })).conversation;
    const read = await this.#server.ask('GET', `${CONVERSATIONS}/${id}`, this.#maker);
    return { id, messageId: read.body.messages[0].id };
  }

  /** A run that waits for a person, in a conversation of its own, and what it asks. */
  async waiting(): Promise<Ids> {
    const { id: conversationId = '' } = await this.conversation();
    const call = JSON.stringify({ path: this.#words, content: this.#words });
    const { runId, pendingApprovals } = await this.post(`${CONVERSATIONS}/${conversationId}/messages/with-tools`, {
      content: `${this.#words}\n/tool write_file ${call}`,
    });
    return { id: runId, conversationId, approvalId: pendingApprovals[0].id };
  }

  /** A rule for the conversation of a run that has ended. */
  async rule(): Promise<Ids> {
    const { conversationId, approvalId } = await this.waiting();
    await this.post('/api/chat/tools/approve', { conversationId, approvalId, decision: 'allow-always' });
    const { rules } = (await this.#server.ask('GET', '/api/chat/tools/rules', this.#maker)).body;
    return { id: rules.find((rule: Json) => rule.conversationId === conversationId).id };
  }

  /** A long result of a tool, in a conversation of its own. */
  async #result(): Promise<Ids> {
    const { id: conversationId = '' } = await this.conversation();
    const { db } = this.#server;
    const { owner, number } = await db
      .selectFrom('conversations')
      .select(['owner', 'number'])
      .where('id', '=', conversationId)
      .modifyEnd(OF_THE_TEST)
      .executeTakeFirstOrThrow();
    const id = `result_${randomBytes(12).toString('hex')}`;
    const created_at = new Date().toISOString();
    await db
      .insertInto('tool_results')
      .values({ id, owner, conversation: number, seq: 2, text: this.#words, created_at })
      .execute();
    return { id, conversationId };
  }

  async #mcpServer(): Promise<Ids> {
    const name = `server-${randomBytes(8).toString('hex')}`;
    await this.post('/api/chat/mcp/servers', { name, url: 'https://mcp.example.com/', enabled: false });
    return { name };
  }

  /** A run that has ended. */
  async ended(): Promise<Ids> {
    const { id: conversationId = '' } = await this.conversation();
    const path = `${CONVERSATIONS}/${conversationId}/messages/with-tools`;
    const { runId } = await this.post(path, { content: this.#words });
    return { id: runId, conversationId };
  }

  /** A response in the background that has ended. */
  async #response(): Promise<Ids> {
    const { id } = await this.post('/v1/responses', { model: 'demo', input: this.#words, background: true });
    const read = () => this.#server.ask('GET', `/v1/responses/${id}`, this.#maker);
    await vi.waitFor(async () => expect((await read()).body.status).toBe('completed'), 10_000);
    return { id };
  }

  readonly #makers: Readonly<Record<string, () => Promise<Ids>>> = {
    [CONVERSATIONS]: () => this.conversation(),
    // One in which something runs.
    '/api/chat/ui': async () => ({ id: (await this.waiting()).conversationId ?? '' }),
    '/api/chat/runs': () => this.waiting(),
    '/v1/responses': () => this.#response(),
    '/v1/conversations': () => this.conversation(),
    '/api/chat/tools/rules': () => this.rule(),
    '/api/chat/tools/results': () => this.#result(),
    '/api/chat/mcp/servers': () => this.#mcpServer(),
    '/api/chat/presets': () =>
      this.#one('preset', '/api/chat/presets', { name: this.#words, systemPrompt: this.#words }),
    '/api/tasks': () =>
      this.#one('task', '/api/tasks', { title: this.#words, prompt: this.#words, labels: [this.#words] }),
    '/api/tickets': () => this.#one('ticket', '/api/tickets', { title: this.#words, description: this.#words }),
    '/api/keys': () => this.#one('key', '/api/keys', { name: this.#words, scopes: ['chat'] }),
    '/api/invites': () =>
      this.#one('invite', '/api/invites', { email: `${randomBytes(8).toString('hex')}@example.com` }),
    '/api/auth/sessions': () => this.#session(),
    '/api/users': () => this.#user(),
    // The demo has no settings.
    '/api/chat/providers': async () => {
      await this.post('/api/chat/providers/groq/configure', { defaultModel: 'some-model', enabled: false });
      return { type: 'groq' };
    },
  };

  async #one(name: string, path: string, body: object): Promise<Ids> {
    const { id, key } = (await this.post(path, body))[name];
    return key === undefined ? { id } : { id, key };
  }

  /** Another session of the maker's account. */
  async #session(): Promise<Ids> {
    const { db, ask } = this.#server;
    const { user } = (await ask('GET', '/api/auth/me', this.#maker)).body;
    const { owner } = await db
      .selectFrom('accounts')
      .select('owner')
      .where('id', '=', user.id)
      .modifyEnd(OF_THE_TEST)
      .executeTakeFirstOrThrow();
    const hash = hashOf(randomBytes(32).toString('base64url'));
    const id = `session_${hash.slice(0, 24)}`;
    const [now, later] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
    const times = { created_at: now, last_seen_at: now, expires_at: later };
    const session = { id, owner, account: user.id, hash, address: '10.9.9.9', user_agent: this.#words, ...times };
    await db.insertInto('sessions').values(session).execute();
    return { id };
  }

  /** A member whose password is the maker's. */
  async #user(): Promise<Ids> {
    return { id: (await addMember(this.#server, this.#maker)).id };
  }
}

/** Adds a member whose password is that of whoever has this credential. */
export async function addMember({ db, ask }: Place, credential: Credential): Promise<{ id: string; email: string }> {
  const { user } = (await ask('GET', '/api/auth/me', credential)).body;
  const like = await db
    .selectFrom('accounts')
    .selectAll()
    .where('id', '=', user.id)
    .modifyEnd(OF_THE_TEST)
    .executeTakeFirstOrThrow();
  const id = `usr_${randomBytes(12).toString('hex')}`;
  const email = `${id}@example.com`;
  await db
    .insertInto('accounts')
    .values({ ...like, id, owner: id, email, role: 'member' })
    .execute();
  return { id, email };
}
