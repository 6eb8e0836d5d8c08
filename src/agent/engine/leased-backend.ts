import { setImmediate as comeRound } from 'node:timers/promises';
import type {
  Backend,
  ClaimWorkflowRunParams,
  CompleteWorkflowRunParams,
  ExtendWorkflowRunLeaseParams,
  FailWorkflowRunParams,
  PaginatedResponse,
  StepAttempt,
  WorkflowRun,
} from 'openworkflow/internal';
import type { Logger } from 'pino';
import { ForwardingBackend } from './forwarding-backend.ts';
import type { Store } from './store.ts';

/** How many leases are renewed before everything else has its turn again. */
const RENEWED_AT_ONCE = 250;
/** How long claims, which never wait on SQLite, may keep the event loop. */
const MOST_AT_ONCE_MS = 5;

interface Claim {
  run: WorkflowRun;
  workerId: string;
  /** False: somebody else has taken the run, whose work goes on here without effect. */
  isOurs: boolean;
}

interface Options {
  store: Store;
  leaseMs: number;
  log: Logger;
  /** Is called whenever a run has ended here, with its place in the worker still taken. */
  onEnd: () => void;
}

/**
 * OpenWorkflow's backend with a lease and a heartbeat of our own, and claims one after the other. It also keeps the
 * worker from what it would print on standard error: none of the calls that follow a claim ever rejects.
 */
export class LeasedBackend extends ForwardingBackend {
  readonly #options: Options;
  /** By worker, each of which has one run at most. */
  readonly #claims = new Map<string, Claim>();
  /** Whether the claim before the next one found something. */
  #goesOn = Promise.resolve(true);
  #foundAll = true;
  #isClosing = false;
  #loopSince = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #renewedAt = 0;
  #renewing: Promise<boolean> | undefined;
  #isFailing = false;

  constructor(options: Options) {
    super(options.store.backend);
    this.#options = options;
  }

  /** To be called before the worker's tick, which claims once for each free place. */
  beginRound(): void {
    this.#goesOn = Promise.resolve(true);
    this.#foundAll = false;
    this.#loopSince = performance.now();
  }

  /** Whether the last round came to a claim that found nothing. Else there may be more than there were places. */
  get foundAll(): boolean {
    return this.#foundAll;
  }

  /** From now on nothing is claimed; what is held stays so. */
  close(): void {
    this.#isClosing = true;
  }

  /** One after the other, and none after one that found nothing. */
  override claimWorkflowRun(params: ClaimWorkflowRunParams): Promise<WorkflowRun | null> {
    const claim = this.#goesOn.then((goesOn) => (goesOn ? this.#claim(params) : null));
    this.#goesOn = claim.then(
      (run) => run !== null,
      () => false,
    );
    return claim;
  }

  /** The worker's own heartbeat, far slower than a lease, which waits for nothing but an error to print. */
  override extendWorkflowRunLease(params: ExtendWorkflowRunLeaseParams): Promise<WorkflowRun> {
    const claim = this.#claims.get(params.workerId);
    return claim ? Promise.resolve(claim.run) : super.extendWorkflowRunLease(params);
  }

  /** There are no steps: a query less for every job. */
  override listStepAttempts(): Promise<PaginatedResponse<StepAttempt>> {
    return Promise.resolve({ data: [], pagination: { next: null, prev: null } });
  }

  override completeWorkflowRun(params: CompleteWorkflowRunParams): Promise<WorkflowRun> {
    return this.#end(params.workerId, () => super.completeWorkflowRun(params));
  }

  override failWorkflowRun(params: FailWorkflowRunParams): Promise<WorkflowRun> {
    return this.#end(params.workerId, () => super.failWorkflowRun(params));
  }

  override sleepWorkflowRun(params: Parameters<Backend['sleepWorkflowRun']>[0]): Promise<WorkflowRun> {
    return this.#end(params.workerId, () => super.sleepWorkflowRun(params));
  }

  override rescheduleWorkflowRunAfterFailedStepAttempt(
    params: Parameters<Backend['rescheduleWorkflowRunAfterFailedStepAttempt']>[0],
  ): Promise<WorkflowRun> {
    return this.#end(params.workerId, () => super.rescheduleWorkflowRunAfterFailedStepAttempt(params));
  }

  /** Ends the heartbeat. */
  override async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#renewing;
    await this.#options.store.close();
  }

  async #claim(params: ClaimWorkflowRunParams): Promise<WorkflowRun | null> {
    if (performance.now() - this.#loopSince > MOST_AT_ONCE_MS) {
      await comeRound();
      this.#loopSince = performance.now();
    }
    if (this.#isClosing) return null;
    // A process that was frozen (a laptop that slept) would claim from itself what it is still at work on.
    if (this.#isLate() && !(await this.#renew())) return null;
    const { leaseMs } = this.#options;
    const run = await super.claimWorkflowRun({ ...params, leaseDurationMs: leaseMs });
    if (run === null) {
      this.#foundAll = true;
      return null;
    }
    if (this.#isClosing) {
      await this.#handBack(run, params.workerId);
      return null;
    }
    this.#hold({ run, workerId: params.workerId, isOurs: true });
    return run;
  }

  async #handBack({ id }: WorkflowRun, workerId: string): Promise<void> {
    // Long ago: at once, by anybody's clock.
    const parked = super.sleepWorkflowRun({ workflowRunId: id, workerId, availableAt: new Date(0) });
    await parked.catch((error: unknown) => {
      this.#options.log.warn({ err: error, id }, 'a job could not be handed back; it waits until its lease is over');
    });
  }

  #hold(claim: Claim): void {
    if (this.#claims.size === 0) {
      this.#renewedAt = Date.now();
      this.#heartbeat = setInterval(() => void this.#renew(), this.#options.leaseMs / 3).unref();
    }
    this.#claims.set(claim.workerId, claim);
  }

  async #end(workerId: string, end: () => Promise<WorkflowRun>): Promise<WorkflowRun> {
    const claim = this.#claims.get(workerId);
    try {
      return await end();
    } catch (error) {
      if (!claim) throw error;
      const { id } = claim.run;
      // Whoever has taken it notes its own end; else the lease runs out.
      if (claim.isOurs) this.#options.log.warn({ err: error, id }, 'the end of a job was not noted: it is done again');
      return claim.run;
    } finally {
      this.#claims.delete(workerId);
      if (this.#claims.size === 0) clearInterval(this.#heartbeat);
      this.#options.onEnd();
    }
  }

  /** By the clock that leases are made with on SQLite: one that stands still while the machine sleeps would not do. */
  #isLate(): boolean {
    return this.#claims.size > 0 && Date.now() - this.#renewedAt > this.#options.leaseMs / 2;
  }

  /** @returns whether the database answered. */
  #renew(): Promise<boolean> {
    this.#renewing ??= this.#renewAll().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewAll(): Promise<boolean> {
    const { store, leaseMs, log } = this.#options;
    const now = Date.now();
    try {
      const claims = [...this.#claims.values()].filter(({ isOurs }) => isOurs);
      for (let at = 0; at < claims.length; at += RENEWED_AT_ONCE) {
        if (at > 0) await comeRound();
        const some = claims.slice(at, at + RENEWED_AT_ONCE);
        const holdings = some.map(({ run, workerId }) => ({ id: run.id, workerId }));
        const kept = await store.renew(holdings, leaseMs);
        for (const claim of some) claim.isOurs = kept.has(claim.workerId);
      }
      // Not before: claims wait for a renewal that is late.
      this.#renewedAt = now;
      this.#isFailing = false;
      return true;
    } catch (error) {
      // Said once for as long as it goes on.
      if (!this.#isFailing) log.warn({ err: error }, 'leases on jobs cannot be renewed; other nodes may take the jobs');
      this.#isFailing = true;
      return false;
    }
  }
}
