/** How long things may take, in milliseconds but for `progressTimes`. */
export interface McpClocks {
  /** From the start of a program, or the first request, to the end of the handshake; and for each page of the list. */
  connect: number;
  ping: number;
  /** So many times its time-out a call may take that goes on telling of its progress. */
  progressTimes: number;
  /** Between two looks whether a quiet server is still there. */
  pingEvery: number;
  /** Before the first try to connect again, and before the later ones at most. */
  retryAfter: number;
  retryAtMost: number;
  /** Between two looks at a list that goes on changing. */
  listEvery: number;
}

/** Those of a server that nobody has said anything else of. */
export const usualClocks: McpClocks = {
  // Time for `npx` to fetch a package.
  connect: 60_000,
  ping: 10_000,
  progressTimes: 10,
  pingEvery: 60_000,
  retryAfter: 1000,
  retryAtMost: 300_000,
  listEvery: 1000,
};
