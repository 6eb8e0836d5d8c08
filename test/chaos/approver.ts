import type { Json } from '../server.ts';
import type { Client, Told } from './client.ts';
import { pick, type Random } from './random.ts';

/** One answer to a question, and what came of it. */
export interface Answered {
  approval: string;
  decision: 'allow-once' | 'allow-always' | 'deny';
  editedArguments: { text: string } | undefined;
  told: Told;
}

/** How often a question is answered by two at the same instant. */
const TWICE = 0.5;

/** Somebody who answers all questions, some of them twice at once, and in different ways. */
export class Approver {
  readonly answers: Answered[] = [];
  readonly #client: Client;
  readonly #random: Random;
  readonly #known = new Set<string>();
  readonly #answering: Promise<void>[] = [];

  constructor(client: Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** Goes on until everything ends. */
  async work(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const { body } = await this.#client.insist('/approvals?status=pending&limit=100', {}, [200]);
      for (const approval of body.approvals) if (!this.#known.has(approval.id)) this.#take(approval);
      await this.#client.rest(80);
    }
    await Promise.all(this.#answering);
  }

  #take(approval: Json): void {
    this.#known.add(approval.id);
    const count = this.#random() < TWICE ? 2 : 1;
    for (let index = 0; index < count; index++) {
      const answering = this.#answer(approval);
      answering.catch(() => {});
      this.#answering.push(answering);
    }
  }

  async #answer({ id, conversationId, toolName, params, reason }: Json): Promise<void> {
    // What may have happened must not happen twice.
    const isUnsafe = toolName === 'note' && /server stopped/.test(reason);
    const choices = ['allow-once', 'allow-once', 'allow-once', 'edit', 'deny', 'allow-always'] as const;
    const choice = isUnsafe ? 'deny' : pick(this.#random, choices);
    const decision = choice === 'edit' ? 'allow-once' : choice;
    const editedArguments = choice === 'edit' ? { text: `${params.text} edited` } : undefined;
    const body = {
      ...{ conversationId, approvalId: id, decision, wait: this.#random() < 0.8 ? 0 : 500 },
      ...(editedArguments ? { editedArguments } : {}),
      ...(decision === 'deny' ? { reason: 'rather not' } : {}),
    };
    // 404 and 409: somebody else was faster, or the run has ended.
    const told = await this.#client.insist('/tools/approve', { body }, [200, 404, 409]);
    this.answers.push({ approval: id, decision, editedArguments, told });
  }
}
