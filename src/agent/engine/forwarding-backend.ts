import type { Backend } from 'openworkflow/internal';

type Params<Call extends keyof Backend> = Parameters<Backend[Call]>[0];

/** Hands every call on: what a backend that is to do some things otherwise is made from. */
export class ForwardingBackend implements Backend {
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.#inner = inner;
  }

  createWorkflowRun(params: Params<'createWorkflowRun'>) {
    return this.#inner.createWorkflowRun(params);
  }

  getWorkflowRun(params: Params<'getWorkflowRun'>) {
    return this.#inner.getWorkflowRun(params);
  }

  listWorkflowRuns(params: Params<'listWorkflowRuns'>) {
    return this.#inner.listWorkflowRuns(params);
  }

  countWorkflowRuns() {
    return this.#inner.countWorkflowRuns();
  }

  claimWorkflowRun(params: Params<'claimWorkflowRun'>) {
    return this.#inner.claimWorkflowRun(params);
  }

  extendWorkflowRunLease(params: Params<'extendWorkflowRunLease'>) {
    return this.#inner.extendWorkflowRunLease(params);
  }

  sleepWorkflowRun(params: Params<'sleepWorkflowRun'>) {
    return this.#inner.sleepWorkflowRun(params);
  }

  completeWorkflowRun(params: Params<'completeWorkflowRun'>) {
    return this.#inner.completeWorkflowRun(params);
  }

  failWorkflowRun(params: Params<'failWorkflowRun'>) {
    return this.#inner.failWorkflowRun(params);
  }

  rescheduleWorkflowRunAfterFailedStepAttempt(params: Params<'rescheduleWorkflowRunAfterFailedStepAttempt'>) {
    return this.#inner.rescheduleWorkflowRunAfterFailedStepAttempt(params);
  }

  cancelWorkflowRun(params: Params<'cancelWorkflowRun'>) {
    return this.#inner.cancelWorkflowRun(params);
  }

  createStepAttempt(params: Params<'createStepAttempt'>) {
    return this.#inner.createStepAttempt(params);
  }

  getStepAttempt(params: Params<'getStepAttempt'>) {
    return this.#inner.getStepAttempt(params);
  }

  listStepAttempts(params: Params<'listStepAttempts'>) {
    return this.#inner.listStepAttempts(params);
  }

  completeStepAttempt(params: Params<'completeStepAttempt'>) {
    return this.#inner.completeStepAttempt(params);
  }

  failStepAttempt(params: Params<'failStepAttempt'>) {
    return this.#inner.failStepAttempt(params);
  }

  setStepAttemptChildWorkflowRun(params: Params<'setStepAttemptChildWorkflowRun'>) {
    return this.#inner.setStepAttemptChildWorkflowRun(params);
  }

  sendSignal(params: Params<'sendSignal'>) {
    return this.#inner.sendSignal(params);
  }

  getSignalDelivery(params: Params<'getSignalDelivery'>) {
    return this.#inner.getSignalDelivery(params);
  }

  stop() {
    return this.#inner.stop();
  }
}
