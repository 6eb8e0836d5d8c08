import { z } from 'zod';
import { APPROVAL_STATUSES, RUN_STATUSES } from '../storage/run-schema.ts';
import { SECURITY_MODES } from '../tools/tool.ts';
import { Time } from './schemas.ts';

/** What tools may do by themselves. */
export const SecurityMode = z
  .enum(SECURITY_MODES)
  .describe('`deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`.');

/** The names of the tools that are offered. */
export const ToolNames = z.array(z.string().min(1).max(200)).max(128).describe('Names of tools; absent: all.');

/** A question to a person about one call. */
export const ApprovalSchema = z
  .object({
    id: z.string(),
    runId: z.string(),
    conversationId: z.string(),
    toolCallId: z.string(),
    toolName: z.string(),
    params: z.record(z.string(), z.unknown()),
    display: z
      .string()
      .describe(
        'Tool and arguments as a person can read them: nothing in it is invisible, and if it is cut it says so.',
      ),
    argumentsHash: z.string().describe('SHA-256 of the arguments as JSON with sorted fields, in hex.'),
    securityLevel: z.string(),
    reason: z.string(),
    status: z.enum(APPROVAL_STATUSES),
    createdAt: Time,
    expiresAt: Time,
    decidedAt: Time.nullable(),
    decidedBy: z.string().nullable(),
    editedArguments: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Approval' });

/** What became of a call of a run. */
export const RunCallSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    invalidArguments: z.string().optional(),
    result: z.string().nullable(),
    status: z.enum(['pending', 'running', 'success', 'error', 'denied', 'cancelled']),
    duration: z.int().nullable().describe('Milliseconds.'),
    resultId: z
      .string()
      .optional()
      .describe('There if `result` is only the beginning and end; GET /api/chat/tools/results/{id} has all of it.'),
  })
  .meta({ id: 'RunCall' });

/** Token counts of a run. */
export const RunUsage = z.object({
  promptTokens: z.int(),
  completionTokens: z.int(),
  totalTokens: z.int(),
  cost: z.number().nullable().describe('USD; null if no answer had a known price.'),
});

/** A run, without what it did. */
export const RunSchema = z
  .object({
    id: z.string(),
    conversationId: z.string(),
    kind: z.enum(['tools', 'agent']),
    status: z.enum(RUN_STATUSES),
    stopReason: z.enum(['completed', 'max_steps', 'budget', 'no_progress']).nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    model: z.string().nullable(),
    provider: z.string().nullable(),
    securityMode: SecurityMode,
    steps: z.int(),
    maxSteps: z.int(),
    maxBudget: z.int().nullable(),
    attempts: z.int().describe('How often it was taken up: once, and after each approval and crash.'),
    usage: RunUsage,
    lastEventId: z.int(),
    messageId: z.string().nullable().describe('Of the message that it ended with.'),
    createdAt: Time,
    updatedAt: Time,
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Run' });

/** The same with its calls. */
export const RunWithCallsSchema = RunSchema.extend({
  toolCalls: z.array(RunCallSchema),
  approvals: z.array(ApprovalSchema),
}).meta({ id: 'RunWithCalls' });

/** An event of a run's stream; docs/runs.md describes the data of each type. */
export const RunEventSchema = z
  .object({
    type: z.enum([
      'user_message',
      'session:start',
      'step:start',
      'step:complete',
      'compaction',
      'thinking:start',
      'thinking:update',
      'thinking:end',
      'content',
      'tool:call',
      'approval:required',
      'approval:resolved',
      'waiting',
      'tool:progress',
      'tool:result',
      'attempt:reset',
      'summary',
      'message_saved',
      'complete',
      'error',
      'reset',
    ]),
    data: z.record(z.string(), z.unknown()),
    timestamp: z.int().describe('Milliseconds.'),
  })
  .meta({ id: 'RunEvent' });
