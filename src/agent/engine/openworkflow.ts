import { setImmediate as comeRound } from 'node:timers/promises';
import { Worker } from 'openworkflow';
import type { Logger } from 'pino';
import { asObject, asString } from '../../core/json.ts';
import { AppError } from '../../errors.ts';
import { EVERYTHING, type Waker } from '../../storage/waker.ts';
import { type DurableEngine, type Job, NotYet } from './engine.ts';
import { LeasedBackend } from './leased-backend.ts';
import { openPostgresStore } from './postgres-store.ts';
import { Pump } from './pump.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { ENDS, type Store, WORKFLOW } from './store.ts';

/** The topic that nodes are woken with when there is a new job. */
const JOBS = 'jobs';

const LEASE_MS = 4000;
const CONCURRENCY = 1000;
const FALLBACK_MS = 500;
const RETRIES = {
  initialInterval: '200ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 0,
} as const;

const HOUR_MS = 3_600_000;
/** OpenWorkflow itself knows a run by its key no longer. */
const KEPT_MS = 24 * HOUR_MS;
const PRUNED_AT_ONCE = 500;

/** Where the engine keeps its jobs, and how it goes about them. */
export interface EngineOptions {
  /** PostgreSQL, with all nodes' jobs; undefined: the SQLite file. */
  databaseUrl?: string | undefined;
  /** Of its own, beside our tables; `:memory:` for none. */
  file: string;
  waker: Waker;
  log: Logger;
  /** After how long without a sign of life a node's jobs are taken by another one. 4 s, of which a third is a beat. */
  leaseMs?: number;
  /** How many jobs this node carries out at once: 1000. */
  concurrency?: number;
  /** How long a job waits at most if its wake got lost, its node died or its retry is due: 0.5 s. */
  fallbackMs?: number;
}

/**
 * Opens the engine that is made of OpenWorkflow. A job is one run of one workflow without any steps, so OpenWorkflow is
 * no more than a queue with leases, and none of its limits on steps and history counts. Jobs are forgotten a day after
 * their end; `enqueue` would have them carried out once more.
 * @throws Error for a person if the database cannot be used.
 */
export async function openEngine(options: EngineOptions): Promise<DurableEngine> {
  const { databaseUrl, file, log } = options;
  const store = databaseUrl === undefined ? await openSqliteStore(file) : await openPostgresStore(databaseUrl, log);
  return new OpenWorkflowEngine(store, options);
}

/** Its life once it has been started. */
interface Running {
  worker: Worker;
  pump: Pump;
  unsubscribe: () => void;
  pruning: NodeJS.Timeout;
}

class OpenWorkflowEngine implements DurableEngine {
  readonly #store: Store;
  readonly #options: EngineOptions;
  readonly #backend: LeasedBackend;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;

  constructor(store: Store, options: EngineOptions) {
    this.#store = store;
    this.#options = options;
    const { leaseMs = LEASE_MS, log } = options;
    this.#backend = new LeasedBackend({ store, leaseMs, log, onEnd: () => this.#ended() });
  }

  async enqueue(job: Job): Promise<'pending' | 'over'> {
    if (this.#stopping !== undefined) {
      throw new AppError('shutting_down', `The run ${job.run} cannot go on here: the server is stopping. Try again`);
    }
    const key = `${job.run}#${job.pass}`;
    const state = (await this.#store.stateOf(key)) ?? (await this.#create(key, job));
    if (ENDS.includes(state)) return 'over';
    this.#options.waker.wake(JOBS);
    return 'pending';
  }

  start(work: (job: Job) => Promise<void>): void {
    if (this.#running !== undefined || this.#stopping !== undefined)
      throw new Error('the engine has been started or stopped already');
    const { waker, log, concurrency = CONCURRENCY, fallbackMs = FALLBACK_MS } = this.#options;
    const workflow = {
      spec: { ...WORKFLOW, retryPolicy: RETRIES },
      fn: ({ input }: { input: unknown }) => this.#carryOut(readJob(input), work),
    };
    const worker = new Worker({ backend: this.#backend, workflows: [workflow], concurrency });
    const look = (): Promise<number> => {
      this.#backend.beginRound();
      return worker.tick();
    };
    const pump = new Pump(look, fallbackMs, log);
    const unsubscribe = waker.subscribe((topic) => {
      if (topic === JOBS || topic === EVERYTHING) pump.wake();
    });
    const pruning = setInterval(() => void this.#prune(), HOUR_MS).unref();
    this.#running = { worker, pump, unsubscribe, pruning };
    void this.#prune();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#backend.close();
    if (this.#running) {
      const { worker, pump, unsubscribe, pruning } = this.#running;
      unsubscribe();
      clearInterval(pruning);
      await pump.stop();
      await worker.stop();
    }
    await this.#backend.stop();
  }

  async #create(key: string, { owner, run, pass }: Job): Promise<string> {
    const { status } = await this.#backend.createWorkflowRun({
      workflowName: WORKFLOW.name,
      version: WORKFLOW.version,
      idempotencyKey: key,
      config: {},
      context: null,
      input: { owner, run, pass },
      parentStepAttemptNamespaceId: null,
      parentStepAttemptId: null,
      availableAt: null,
      deadlineAt: null,
    });
    return status;
  }

  async #carryOut(job: Job, work: (job: Job) => Promise<void>): Promise<void> {
    try {
      await work(job);
    } catch (error) {
      if (error instanceof NotYet) this.#options.log.debug({ run: job.run, pass: job.pass }, 'a job is handed over');
      else this.#options.log.warn({ err: error, run: job.run, pass: job.pass }, 'a job failed; it will be tried again');
      // OpenWorkflow keeps the message and the stack, which may have secrets in them.
      throw new Error('the job failed; the log of the server says why');
    }
  }

  /** When all places were taken there may be jobs that nobody has looked at. */
  #ended(): void {
    if (this.#backend.foundAll) return;
    // Its place is free as soon as whoever called has gone on.
    setImmediate(() => {
      if (!this.#backend.foundAll) this.#running?.pump.wake();
    });
  }

  async #prune(): Promise<void> {
    try {
      while (this.#stopping === undefined) {
        if ((await this.#store.prune(KEPT_MS, PRUNED_AT_ONCE)) < PRUNED_AT_ONCE) return;
        await comeRound();
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'jobs that were over long ago could not be cleared up');
    }
  }
}

function readJob(input: unknown): Job {
  const { owner, run, pass } = asObject(input);
  return { owner: asString(owner), run: asString(run), pass: Number(pass) };
}
