import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../server.ts';
import { type Fate, fateOf, type Plan, type PlannedStep, stepOf, wordOf } from './plan.ts';

/** A call that came in. */
export interface Asked {
  run: number;
  step: number;
  /** Of this step, from 1 on, whichever node it comes from. */
  attempt: number;
  node: string;
  /** Words that were sent so far. */
  sent: number;
}

/** Times of the model's answers. */
export interface Pace {
  /** Words that are sent at once. */
  wordsAtOnce: number;
  /** Milliseconds before each of them. */
  pauseMs: number;
}

export const USUAL_PACE: Pace = { wordsAtOnce: 2, pauseMs: 15 };

const THOUGHT_MS = 40;

/** What every answer costs, in tokens. */
export const ANSWER_TOKENS = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/**
 * A vendor that speaks OpenAI's chat wire and does in each run what is planned. Words say which try of which step they
 * are of. Which node asks it knows by a header that the node's provider has in its settings.
 */
export class Upstream {
  readonly asked: Asked[] = [];
  readonly #plans: ReadonlyMap<number, Plan>;
  readonly #pace: Pace;
  /** Those that wait while their node is held. */
  readonly #waiting = new Map<string, number>();
  /** Answers that are under way, by node. */
  readonly #busy = new Map<string, number>();
  readonly #held = new Map<string, PromiseWithResolvers<Fate | undefined>>();
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(plans: readonly Plan[], pace: Pace) {
    this.#plans = new Map(plans.map((plan) => [plan.run, plan]));
    this.#pace = pace;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** What a node's provider is set to. */
  settingsFor(node: string): Record<string, unknown> {
    const { port } = this.#server.address() as AddressInfo;
    return { baseUrl: `http://127.0.0.1:${port}`, headers: { 'x-node': node } };
  }

  /** How many answers a node waits for, or reads. */
  busy(node: string): number {
    return this.#busy.get(node) ?? 0;
  }

  /** How many answers a node waits for that is held. */
  waiting(node: string): number {
    return this.#waiting.get(node) ?? 0;
  }

  /** From now on the node gets no answers. */
  hold(node: string): void {
    this.#held.set(node, Promise.withResolvers());
    this.#waiting.set(node, 0);
  }

  /** The node gets its answers; those that it waits for come to the given end, if there is one. */
  release(node: string, fate?: Fate): void {
    this.#held.get(node)?.resolve(fate);
    this.#held.delete(node);
  }

  stop(): Promise<void> {
    for (const node of this.#held.keys()) this.release(node);
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method === 'GET') return send(response, 200, { data: [] });
    const body: Json = JSON.parse(text);
    const { plan, step } = this.#placeOf(body.messages);
    const node = String(request.headers['x-node']);
    const before = this.asked.filter((one) => one.run === plan.run && one.step === step).length;
    const asked = { run: plan.run, step, attempt: before + 1, node, sent: 0 };
    this.asked.push(asked);
    this.#busy.set(node, this.busy(node) + 1);
    response.on('close', () => this.#busy.set(node, this.busy(node) - 1));
    await sleep(THOUGHT_MS);
    const held = this.#held.get(node);
    if (held) this.#waiting.set(node, this.waiting(node) + 1);
    const fate = (await held?.promise) ?? fateOf(plan, step, asked.attempt);
    if (fate === 'refused') return send(response, 400, { error: { message: `no to ${plan.run}.${step}` } });
    if (fate === 'unavailable') return send(response, 503, { error: { message: 'not now' } });
    const mayCall = body.tool_choice !== 'none' || plan.disobeys;
    await this.#answer(response, asked, plannedFor(plan, step, mayCall), fate === 'broken off');
  }

  /** Which step of which run it is, going by the history. */
  #placeOf(messages: Json[]): { plan: Plan; step: number } {
    const numberIn = (message: Json): string | undefined =>
      message.role === 'user' ? /^run (\d+):/.exec(textOf(message.content))?.[1] : undefined;
    const at = messages.findLastIndex((message) => numberIn(message) !== undefined);
    const plan = this.#plans.get(Number(numberIn(messages[at] ?? {}) ?? -1));
    if (!plan) throw new Error('a call is of no run');
    return { plan, step: messages.slice(at).filter(({ role }) => role === 'assistant').length + 1 };
  }

  async #answer(response: ServerResponse, asked: Asked, planned: PlannedStep, breaksOff: boolean): Promise<void> {
    const { run, step, attempt } = asked;
    const { words, thoughts, calls } = planned;
    const chunk = (delta: object, more: object = {}): boolean =>
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < thoughts; at++) {
      await sleep(this.#pace.pauseMs);
      chunk({ reasoning_content: `t${wordOf(run, step, attempt, at)}` });
    }
    const end = breaksOff ? Math.floor(words / 2) : words;
    for (let at = 0; at < end; at += this.#pace.wordsAtOnce) {
      await sleep(this.#pace.pauseMs);
      const count = Math.min(this.#pace.wordsAtOnce, end - at);
      for (let word = at; word < at + count; word++) chunk({ content: wordOf(run, step, attempt, word) });
      asked.sent = at + count;
      if (response.destroyed) return;
    }
    if (breaksOff) {
      response.destroy();
      return;
    }
    const tool_calls = calls.map(({ name, text }, index) => {
      const given = name === 'complete_task' ? { summary: text } : { text };
      const id = `call_${run}_${step}_${index}`;
      return { index, id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
    });
    if (tool_calls.length > 0) chunk({ tool_calls });
    chunk({}, { finish_reason: tool_calls.length > 0 ? 'tool_calls' : 'stop' });
    response.end(`data: ${JSON.stringify({ choices: [], usage: ANSWER_TOKENS })}\n\ndata: [DONE]\n\n`);
  }
}

/** A model that may not call tools any more says something in their place. */
function plannedFor(plan: Plan, step: number, mayCall: boolean): PlannedStep {
  const planned = stepOf(plan, step);
  if (mayCall || planned.calls.length === 0) return planned;
  return { ...planned, words: Math.max(planned.words, 4), calls: [] };
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function textOf(content: Json): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map(({ text }) => text ?? '').join('') : '';
}
