import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { wordsIn } from './faults.ts';
import type { Rig, Told } from './rig.ts';
import type { State } from './state.ts';
import { expectAnswered, readAnswer } from './turn-operations.ts';
import { answerTo } from './upstream.ts';

/** A message that a client sent, once or again and again, and what it was told each time. */
export interface Sent {
  conversation: string;
  content: string;
  stream: boolean;
  key: string | undefined;
  told: Told[];
}

/** Numbers of 0 to 1 that look random; the same ones for the same seed. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed;
  // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Clients that send message after message, streamed or not, into a few conversations. */
export class Clients {
  readonly sent: Sent[] = [];
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #conversations: readonly string[];
  #isStopping = false;
  #up = Promise.withResolvers<void>();

  constructor(rig: Rig, random: Random, conversations: readonly string[]) {
    this.#rig = rig;
    this.#random = random;
    this.#conversations = conversations;
  }

  /** Who has been cut off goes on. */
  resume(): void {
    this.#up.resolve();
  }

  /** Who is cut off from now on waits. */
  pause(): void {
    this.#up = Promise.withResolvers();
  }

  /** What is under way is brought to its end, and nothing new begun. */
  stop(): void {
    this.#isStopping = true;
  }

  /** One client, until `stop`. */
  async run(): Promise<void> {
    while (!this.#isStopping) {
      const number = this.sent.length;
      const sent = {
        conversation: this.#conversations[Math.floor(this.#random() * this.#conversations.length)] ?? '',
        content: `message ${number} of a client, called m${number}x`,
        stream: this.#random() < 0.5,
        key: this.#random() < 0.5 ? `key-${number}` : undefined,
        told: [],
      };
      this.sent.push(sent);
      await this.#send(sent);
      await sleep(this.#random() * 20);
    }
  }

  async #send(sent: Sent): Promise<void> {
    const { conversation, content, stream, key } = sent;
    const mayRetry = this.#random() < 0.5;
    for (;;) {
      await this.#up.promise;
      const told = await this.#rig.ask(
        `${conversation}/messages`,
        { content, stream },
        key === undefined ? {} : { key },
      );
      sent.told.push(told);
      if (told.isWhole) return;
      if (key === undefined) break;
    }
    if (!mayRetry) return;
    await this.#up.promise;
    const told = await this.#rig.ask(`${conversation}/retry`, { stream });
    // Somebody else may have gone on with the conversation, or have tried it again first.
    if (told.isWhole) expect([200, 409]).toContain(told.status);
  }
}

/** Holds what each client was told against what is stored. @returns what was found how often. */
export function compare(sent: readonly Sent[], state: State): Record<'answered' | 'failed' | 'lost', number> {
  const found = { answered: 0, failed: 0, lost: 0 };
  const ids = new Map(state.conversations.map(({ number, id }) => [number, `/conversations/${id}`]));
  const questions = state.messages.filter(({ role }) => role === 'user');
  const byContent = Map.groupBy(questions, (message) => wordsIn(message));
  expect([...byContent.keys()].filter((content) => !sent.some((one) => one.content === content))).toEqual([]);
  for (const one of sent) {
    const { content, conversation, told } = one;
    const own = byContent.get(content) ?? [];
    expect(own.length, content).toBeLessThan(2);
    const [question] = own;
    const answers = told.filter(({ text }) => isAnswer(text));
    if (told.some(({ status }) => status !== undefined)) expect(question, content).toBeDefined();
    for (const { isWhole, status } of told) if (isWhole) expect([200, 409], content).toContain(status);
    if (!question) {
      found.lost++;
      continue;
    }
    expect(ids.get(question.conversation), content).toBe(conversation);
    if (question.status === 'failed') {
      expect(answers, content).toEqual([]);
      found.failed++;
      continue;
    }
    found.answered++;
    const answer = state.messages[state.messages.indexOf(question) + 1];
    expect(answer && wordsIn(answer), content).toBe(answerTo(content));
    for (const { text } of answers) {
      expectAnswered({ status: 200, text, isWhole: true }, content);
      expect(readAnswer(text).last.assistantMessage.id, content).toBe(answer?.id);
      expect(readAnswer(text).last.userMessage.id, content).toBe(question.id);
    }
  }
  return found;
}

/** Is it an answer that came to its end, even if the connection did not? */
function isAnswer(text: string): boolean {
  try {
    return readAnswer(text).last?.assistantMessage !== undefined;
  } catch {
    return false;
  }
}
