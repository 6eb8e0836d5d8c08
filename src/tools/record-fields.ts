import { z } from 'zod';
import { TASK_STATUSES, TICKET_STATUSES, TICKET_TYPES } from '../storage/schema.ts';

const LONG = 1_000_000;

function text(max: number): z.ZodString {
  return z.string().min(1, 'must not be empty').max(max, `must be at most ${max} characters`);
}

const Title = text(500);
const LongText = text(LONG);
const Description = LongText.nullable().describe('Null: none.');
const Priority = z.int().min(1).max(4).describe('1 is the most urgent.');
const Labels = z.array(text(100)).max(50);

/** The id of a record, or a ticket's key. */
export const RecordId = z.string().min(1).max(200);

/** What may be written to a task: within the bounds of PATCH /api/tasks/{id}. */
export const TaskFields = {
  title: Title,
  prompt: LongText,
  description: Description,
  status: z.enum(TASK_STATUSES),
  priority: Priority,
  labels: Labels,
};

/** What may be written to a ticket: within the bounds of POST /api/tickets. */
export const TicketFields = {
  title: Title,
  description: Description,
  type: z.enum(TICKET_TYPES),
  priority: Priority,
  status: z.enum(TICKET_STATUSES),
  labels: Labels,
};
