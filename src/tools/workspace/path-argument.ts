import { z } from 'zod';

/** A path as a tool's argument. */
export const WorkspacePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), 'A path has no NUL')
  .refine((path) => path.isWellFormed(), 'A path is whole Unicode characters')
  .describe('Within the workspace: relative to it, or absolute.');
