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

/**
 * Every table, as the newest migration leaves it. Times are ISO-8601 UTC text with milliseconds; `labels` is a JSON
 * array of strings as text; `sealed` comes from `seal` of secret-box.ts.
 */
export interface Schema {
  provider_settings: ProviderSettingsTable;
  server_settings: ServerSettingsTable;
  presets: PresetsTable;
  tasks: TasksTable;
  tickets: TicketsTable;
  ticket_counters: TicketCountersTable;
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
