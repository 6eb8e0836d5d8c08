/** A piece of work on a run: what is to be done is read from the run itself. */
export interface Job {
  owner: string;
  run: string;
  /** Counts the jobs of a run. */
  pass: number;
}

/** What work rejects with to have its job carried out again, without anything having failed. */
export class NotYet extends Error {
  override name = 'NotYet';
}

/**
 * Sees to it that jobs are carried out: by one node at a time, at least once, and by another one if that dies. It holds
 * nothing that could not be had from our own tables again, so it may lose everything.
 */
export interface DurableEngine {
  /**
   * Has a job carried out, at once if there is room. A second call for the same job does nothing.
   * @returns `over` if it was carried out already.
   */
  enqueue(job: Job): Promise<'pending' | 'over'>;
  /**
   * Begins to carry out jobs. A job whose work rejects is tried again, later and later.
   * @param work must be able to take a job up in the middle.
   */
  start(work: (job: Job) => Promise<void>): void;
  /** Takes no more jobs, and waits until the work under way has ended, which the caller sees to. */
  stop(): Promise<void>;
}
