// What `profclaw/client` gives: scripts/build-client.ts makes dist/client.js and dist/client.d.ts from here.

export type { ApprovalAnswer } from './answer-approval.ts';
export type { components, paths } from './api.ts';
export type { CallOptions } from './calls.ts';
export { RequestError } from './client.ts';
export { type Client, type ClientOptions, createClient } from './create-client.ts';
export type { Following, RunMessage, Runs } from './run-calls.ts';
export type { RunEvent, RunEventData } from './run-events.ts';
export type { Approval, Run, RunWithCalls } from './types.ts';
