import type { Generated } from 'kysely';
import type { AccessSchema } from './access-schema.ts';
import type { RunSchema } from './run-schema.ts';

/** What a task's status may be, in the order a task lives through them. */
export const TASK_STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;

/** What a ticket's status may be. */
export const TICKET_STATUSES = ['open', 'in_progress', 'done', 'closed'] as const;

/** What a ticket may be about. */
export const TICKET_TYPES = ['bug', 'feature', 'task', 'question'] as const;

/** The priority, of 1 (most urgent) to 4, of a task or ticket that was created without one. */
export const DEFAULT_PRIORITY = 3;

export type TaskStatus = (typeof TASK_STATUSES)[number];
export type TicketStatus = (typeof TICKET_STATUSES)[number];
export type TicketType = (typeof TICKET_TYPES)[number];

/** Who a conversation's title is from; nobody's or a first message's is replaced by the next better one. */
export type TitleBy = 'nobody' | 'message' | 'model' | 'client';

/** Is a message's turn under way, over, or did it fail? */
export type MessageStatus = 'running' | 'complete' | 'failed';

/** How a tool call stands. */
export type ToolCallStatus = 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled';

/**
 * Every table, as the newest migration leaves it. Times are ISO-8601 UTC text with milliseconds; `labels` is a JSON
 * array of strings as text; `sealed` comes from `seal` of secret-box.ts.
 */
export interface Schema extends AccessSchema, RunSchema {
  provider_settings: ProviderSettingsTable;
  server_settings: ServerSettingsTable;
  mcp_servers: McpServersTable;
  presets: PresetsTable;
  tasks: TasksTable;
  tickets: TicketsTable;
  ticket_counters: TicketCountersTable;
  conversations: ConversationsTable;
  conversation_counts: ConversationCountsTable;
  messages: MessagesTable;
  tool_calls: ToolCallsTable;
  compactions: CompactionsTable;
  responses: ResponsesTable;
  turns: TurnsTable;
  orphans: OrphansTable;
  idempotency_keys: IdempotencyKeysTable;
}

interface ProviderSettingsTable {
  type: string;
  owner: string;
  sealed: string;
  updated_at: string;
}

interface ServerSettingsTable {
  key: string;
  owner: string;
  value: string;
  updated_at: string;
}

/** Servers of tools that were set through the API. */
interface McpServersTable {
  name: string;
  owner: string;
  created_at: string;
  updated_at: string;
  sealed: string;
}

interface PresetsTable {
  id: string;
  owner: string;
  name: string;
  description: string;
  system_prompt: string;
  model: string | null;
  temperature: number | null;
  max_tokens: number | null;
  created_at: string;
  updated_at: string;
}

interface TasksTable {
  id: string;
  owner: string;
  title: string;
  prompt: string;
  description: string | null;
  status: TaskStatus;
  priority: number;
  labels: string;
  created_at: string;
  updated_at: string;
}

interface TicketsTable {
  id: string;
  owner: string;
  number: number;
  title: string;
  description: string | null;
  type: TicketType;
  priority: number;
  status: TicketStatus;
  labels: string;
  created_at: string;
  updated_at: string;
}

/** The highest ticket number that an owner was ever given, deleted tickets included. */
interface TicketCountersTable {
  owner: string;
  last: number;
}

/** Token counts and `cost` are what was spent in it so far. */
interface ConversationsTable {
  /** Never given twice, and never shown: the key of everything that belongs to it. */
  number: Generated<number>;
  id: string;
  owner: string;
  title: string;
  title_by: TitleBy;
  preset_id: string;
  /** A JSON object. */
  metadata: string;
  created_at: string;
  updated_at: string;
  /** The `seq` of its last message; 0 without one. Not given again after a deletion. */
  last_seq: Generated<number>;
  message_count: Generated<number>;
  /** The `number` of the compaction in force; 0: none. */
  compaction: Generated<number>;
  /** Messages up to this one are covered by the compaction: the model sees its summary instead. */
  covered_seq: Generated<number>;
  /** Estimated tokens of all complete messages after `covered_seq`. */
  live_tokens: Generated<number>;
  /** The provider's counts in parts of our estimates. */
  token_ratio: Generated<number>;
  prompt_tokens: Generated<number>;
  completion_tokens: Generated<number>;
  total_tokens: Generated<number>;
  /** Billionths of a US dollar, so that sums are exact. */
  cost: Generated<number>;
  /** Answers with a known price, and without one. */
  priced: Generated<number>;
  unpriced: Generated<number>;
  task_id: string | null;
  ticket_id: string | null;
  model: string | null;
  system_prompt: string | null;
  temperature: number | null;
  max_tokens: number | null;
}

/** How many conversations an owner has: counting a hundred thousand rows takes longer than reading a page of them. */
interface ConversationCountsTable {
  owner: string;
  conversations: number;
}

/** `body` is JSON, which keeps text that PostgreSQL has no other place for. */
interface MessagesTable {
  owner: string;
  conversation: number;
  seq: number;
  id: string;
  role: 'user' | 'assistant';
  status: MessageStatus;
  /** The turn that made it. */
  turn: string;
  /** Characters of `body` and of its calls. */
  size: number;
  /** Estimated, without its calls' results. */
  tokens: number;
  /** How many rows of `tool_calls` it has. */
  calls: number;
  created_at: string;
  /** Why the turn failed: `{code, message}`. */
  error: string | null;
  body: string;
}

/** `body` is the call as the model made it, as JSON; `result` is a JSON string; `duration` in milliseconds. */
interface ToolCallsTable {
  owner: string;
  conversation: number;
  /** Of the assistant's message. */
  seq: number;
  position: number;
  status: ToolCallStatus;
  /** Of the result, estimated. */
  tokens: number;
  duration: number | null;
  body: string;
  result: string | null;
  /** Of the whole result in `tool_results`, if `result` is only its beginning and end. */
  result_id: string | null;
}

/** What was asked for under an id of its own, to be asked for again; what was said is in the conversation. */
interface ResponsesTable {
  /** That of the answer's message, or of the run, but for its prefix. */
  id: string;
  owner: string;
  conversation: number;
  kind: 'turn' | 'run';
  /** 1: its conversation was made for it, or for those before it, and goes with the last of them. */
  owns_conversation: number;
  created_at: string;
  /** The id of the last call that its answer has made; null: none, or not yet. */
  last_call: Generated<string | null>;
  /** JSON of what the request said beside its messages. */
  request: string;
}

/** One after the other; each covers what those before it did. */
interface CompactionsTable {
  owner: string;
  conversation: number;
  number: number;
  covered_seq: number;
  /** The model sees tool results up to this message shortened. */
  shortened_seq: number;
  original_count: number;
  compacted_count: number;
  tokens_before: number;
  tokens_after: number;
  created_at: string;
  /** JSON of who made the summary and what it took. */
  answer: string | null;
  /** A JSON string; null if what is covered was left out. */
  summary: string | null;
}

/** The turn that a conversation is busy with; there is a row only as long as it is. Times in the database's milliseconds. */
interface TurnsTable {
  conversation: number;
  owner: string;
  id: string;
  node: string;
  /** Of the first message that is this turn's. */
  first_seq: number;
  expires_at: number;
}

/**
 * Conversations that are being deleted or made, piece by piece. Theirs is the owner `''`, who asks for nothing; what is
 * left of them after `expires_at` is removed. `owner` is who they were or will be of.
 */
interface OrphansTable {
  conversation: number;
  owner: string;
  expires_at: number;
}

/** There is an answer if there is a status. */
interface IdempotencyKeysTable {
  owner: string;
  /** Method and path. */
  route: string;
  key: string;
  fingerprint: string;
  /** What the ids of everything are made of that the request creates. */
  token: string;
  /** The try that has the lease; '' after a failed one. */
  node: string;
  /** Of the lease, in the database's milliseconds. An ended try has given it back, so this is then its end. */
  expires_at: number;
  status: number | null;
  content_type: string | null;
  answer: string | null;
}
