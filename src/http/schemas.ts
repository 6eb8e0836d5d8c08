import { z } from 'zod';
import { STATUS_OF } from '../errors.ts';

/** The error envelope, for the document. */
export const ErrorSchema = z
  .object({
    error: z.string().describe('What is wrong and what to do, for a person.'),
    code: z.enum(Object.keys(STATUS_OF) as [keyof typeof STATUS_OF]),
    requestId: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Error' });

/** An id as a path parameter. */
export const IdParams = z.object({ id: z.string().min(1).max(200) });

/** `limit` and `offset` of a list. */
export const Paging = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  offset: z.coerce.number().int().min(0).default(0),
};

/** The answer of a successful deletion. */
export const DeletedSchema = z.object({ message: z.string() });

/** Text that a person writes: not empty, bounded. */
export function text(max: number): z.ZodString {
  return z.string().min(1, 'must not be empty').max(max, `must be at most ${max} characters`);
}

/** Short words that a record is filed under. */
export const Labels = z.array(text(100)).max(50);

/** 1 is the highest. */
export const Priority = z.int().min(1).max(4);

/** An ISO-8601 UTC time, in responses. */
export const Time = z.iso.datetime();

/** Sampling temperature. */
export const Temperature = z.number().min(0).max(2);

/** Most tokens that the model may write. */
export const MaxTokens = z.int().min(1);

/** A model's name: an id, `provider/model` or an alias. */
export const ModelName = text(300);
