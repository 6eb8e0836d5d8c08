/** What a run fails with that no request can. */
export type RunErrorCode = 'TOOL_ERROR' | 'INTERRUPTED';

/** Why a run fails, in the words of its last event. */
export class RunFailure extends Error {
  readonly code: RunErrorCode;

  constructor(code: RunErrorCode, message: string) {
    super(message);
    this.name = 'RunFailure';
    this.code = code;
  }
}
