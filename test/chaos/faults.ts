import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterNode } from './cluster.ts';
import type { Order } from './orders.ts';
import { between, pick, type Random } from './random.ts';
import type { Upstream } from './upstream.ts';

/** What is done to nodes. */
export type Fault = 'kill' | 'end' | 'tool' | 'note' | 'commit' | 'lost' | 'freeze' | 'cut';

/** How faults follow each other. */
export interface FaultPlan {
  kinds: readonly Fault[];
  most: number;
  /** So often the model is asked between two, so that something goes on in between, whatever the machine's speed. */
  asked: { least: number; most: number };
  /** Milliseconds. */
  freezeMs: { least: number; most: number };
  /** Ends all connections to PostgreSQL: what `cut` does. */
  cut?: (() => Promise<void>) | undefined;
}

/** Commits that are interesting to die at, by what is said in their transactions. */
const COMMITS = {
  any: '',
  answer: 'insert into "messages"',
  call: 'update "tool_calls"',
  question: 'insert into "approvals"',
  decision: 'update "approvals"',
  end: '"finished_at"',
  deltas: 'insert into run_events',
  taking: '"attempts" \\+',
} as const;

const ARMED_MS = 5000;
const MOST_LATER_MS = 400;
/** A node that is to be frozen gets no answers before, for so long at most, so that it waits for so many then. */
const HOLD_MS = 1500;
const WAITING = 2;

/** Does one fault after the other to the nodes, until there are no more or `signal` is aborted. Never throws. */
export class Faults {
  /** What was done, in words. */
  readonly done: string[] = [];
  readonly #cluster: Cluster;
  readonly #upstream: Upstream;
  readonly #random: Random;
  readonly #plan: FaultPlan;

  constructor(cluster: Cluster, upstream: Upstream, random: Random, plan: FaultPlan) {
    this.#cluster = cluster;
    this.#upstream = upstream;
    this.#random = random;
    this.#plan = plan;
  }

  async go(signal: AbortSignal): Promise<void> {
    const { kinds, most } = this.#plan;
    // Each kind comes in its turn, so that a short suite has them all.
    const from = between(this.#random, 0, kinds.length - 1);
    for (let count = 0; count < most; count++) {
      await this.#rest(signal);
      if (signal.aborted) break;
      const kind = kinds[(from + count) % kinds.length] ?? 'kill';
      const node = pick(this.#random, this.#cluster.nodes);
      await this.#cluster.up(node);
      await this.#do(kind, node, signal);
    }
    for (const node of this.#cluster.nodes) this.#cluster.order(node, undefined);
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { least, most } = this.#plan.asked;
    const until = this.#upstream.asked.length + between(this.#random, least, most);
    while (this.#upstream.asked.length < until && !signal.aborted) await sleep(10);
    // Somewhere in the answer, or after it.
    await sleep(between(this.#random, 0, MOST_LATER_MS));
  }

  async #do(kind: Fault, node: ClusterNode, signal: AbortSignal): Promise<void> {
    switch (kind) {
      case 'kill':
        this.#note(`kill ${node.name}`);
        return this.#cluster.kill(node);
      case 'end':
        this.#note(`end ${node.name}`);
        return this.#cluster.end(node);
      case 'freeze':
        return await this.#freeze(this.#busiest() ?? node, signal);
      case 'tool':
        return await this.#arm(node, { at: 'tool', when: 'after', of: '', count: 1 }, signal);
      case 'note':
        return await this.#arm(node, { at: 'tool', when: 'after', of: 'note', count: 1 }, signal);
      case 'cut':
        this.#note('cut all connections');
        return await this.#plan.cut?.();
      case 'lost':
        return await this.#arm(node, { at: 'commit', when: 'lost', ...this.#commit() }, signal);
      case 'commit': {
        const when = pick(this.#random, ['before', 'after'] as const);
        return await this.#arm(node, { at: 'commit', when, ...this.#commit() }, signal);
      }
    }
  }

  #commit(): Pick<Order, 'of' | 'count'> {
    const name = pick(this.#random, Object.keys(COMMITS) as (keyof typeof COMMITS)[]);
    return { of: COMMITS[name], count: between(this.#random, 1, name === 'any' || name === 'deltas' ? 12 : 2) };
  }

  /** The node that has most to lose. */
  #busiest(): ClusterNode | undefined {
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp);
    return up.toSorted((a, b) => this.#upstream.busy(b.name) - this.#upstream.busy(a.name))[0];
  }

  async #arm(node: ClusterNode, order: Order, signal: AbortSignal): Promise<void> {
    this.#note(`${node.name} ${JSON.stringify(order)}`);
    this.#cluster.order(node, order);
    if (order.when === 'lost') return;
    for (let waited = 0; waited < ARMED_MS && !signal.aborted; waited += 100) {
      if (await this.#cluster.died(node, 100)) return;
    }
    this.#cluster.order(node, undefined);
  }

  async #freeze(node: ClusterNode, signal: AbortSignal): Promise<void> {
    const { least, most } = this.#plan.freezeMs;
    const ms = between(this.#random, least, most);
    // What it waits for may have come to a bad end by the time it comes back.
    const fate = pick(this.#random, ['refused', 'broken off', 'whole'] as const);
    this.#note(`freeze ${node.name} for ${ms} ms, ${fate}`);
    this.#upstream.hold(node.name);
    for (let ms = 0; ms < HOLD_MS && this.#upstream.waiting(node.name) < WAITING; ms += 20) await sleep(20);
    this.#cluster.freeze(node);
    this.#upstream.release(node.name, fate);
    await sleep(signal.aborted ? 0 : ms);
    this.#cluster.thaw(node);
  }

  #note(what: string): void {
    this.done.push(what);
  }
}
