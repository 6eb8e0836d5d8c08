import { z } from 'zod';
import { defineTool, type Tool } from '../../src/tools/tool.ts';

/** Tools of a test whose calls are about a path, a command or a host; they do nothing. */
export const POLICY_TOOLS: readonly Tool[] = [
  defineTool({
    ...{ name: 'open', description: 'Opens.', level: 'safe', effect: 'read', isForSandbox: true },
    input: z.strictObject({ path: z.string().min(1) }),
    rulesOn: ['path'],
    subjects: ({ path }) => ({ paths: [path] }),
    run: ({ path }) => Promise.resolve({ text: `opened ${path}`, isError: false }),
  }),
  defineTool({
    ...{ name: 'change', description: 'Changes.', level: 'moderate', effect: 'idempotent', isForSandbox: false },
    input: z.strictObject({ path: z.string().min(1) }),
    rulesOn: ['path'],
    subjects: ({ path }) => ({ paths: [path] }),
    run: ({ path }) => Promise.resolve({ text: `changed ${path}`, isError: false }),
  }),
  defineTool({
    ...{ name: 'shell', description: 'Runs.', level: 'dangerous', effect: 'unsafe', isForSandbox: true },
    input: z.strictObject({ command: z.string().min(1), hurry: z.boolean().optional() }),
    rulesOn: ['command'],
    subjects: ({ command }) => ({ command }),
    identity: ({ command }) => ({ command }),
    run: ({ command }) => Promise.resolve({ text: `ran ${command}`, isError: false }),
  }),
  defineTool({
    ...{ name: 'visit', description: 'Visits.', level: 'moderate', effect: 'read', isForSandbox: false },
    input: z.strictObject({ url: z.url() }),
    rulesOn: ['host'],
    subjects: ({ url }) => ({ urls: [url] }),
    run: ({ url }) => Promise.resolve({ text: `visited ${url}`, isError: false }),
  }),
];
