import type { Backend } from 'openworkflow/internal';

/** The workflow that carries jobs out: one run of it is one job. */
export const WORKFLOW = {
  name: 'run',
  /** To be raised when the input changes; the old function stays registered as long as there are old jobs. */
  version: '1',
};

/** OpenWorkflow's name for all that belongs together. We use none but its own. */
export const NAMESPACE = 'default';

/** Which states of a run are ends. Jobs are tried again for ever, so none but the first should ever be met. */
export const ENDS: readonly string[] = ['completed', 'succeeded', 'failed', 'canceled'];

/** One that a worker of this node has claimed. */
export interface Holding {
  /** The run's id. */
  id: string;
  workerId: string;
}

/** OpenWorkflow's tables, with what its interface has no call for. */
export interface Store {
  backend: Backend;
  /** The state of the job's run; undefined if there is none. OpenWorkflow itself looks back no further than a day. */
  stateOf(key: string): Promise<string | undefined>;
  /**
   * Renews leases, all at once: OpenWorkflow's call for one alone took 0.5 s of PostgreSQL for 1000 of them, against
   * 0.03 s.
   * @returns the workers whose runs are still theirs.
   */
  renew(holdings: readonly Holding[], leaseMs: number): Promise<Set<string>>;
  /** Deletes runs that ended `ageMs` ago or earlier, up to `most`. @returns how many. */
  prune(ageMs: number, most: number): Promise<number>;
  /** Waits for queries under way. */
  close(): Promise<void>;
}
