import { z } from 'zod';
import { sandboxState } from '../../tools/sandbox/choose-sandbox.ts';
import { defineRoute } from '../route.ts';

const ToolSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    inputSchema: z.record(z.string(), z.unknown()).describe('A JSON Schema.'),
    level: z.enum(['safe', 'moderate', 'dangerous']),
    effect: z.enum(['read', 'idempotent', 'unsafe']),
    sandbox: z.boolean().describe('May it be called in the mode `sandbox`?'),
  })
  .meta({ id: 'Tool' });

const SandboxSchema = z.object({
  kind: z.enum(['bubblewrap', 'none']).describe('What commands are isolated by on this host.'),
  unsandboxed: z
    .boolean()
    .describe('True: there is no sandbox, and the operator lets commands run without one, in modes but `sandbox`.'),
  bounds: z.enum(['cgroup', 'watch']).describe('By what the memory and processes of a command are bounded.'),
});

/** What runs may call. */
export const toolRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/tools',
    scope: 'conversations:read',
    tag: 'Runs',
    summary: 'The tools that runs may use, and how commands are isolated',
    response: z.object({ tools: z.array(ToolSchema), sandbox: SandboxSchema }),
    handle: async ({ services }) => {
      const { kind, bounds } = await sandboxState();
      const unsandboxed = kind === 'none' && services.config.tools.isUnsandboxedAllowed;
      const tools = services.runs
        .tools()
        .map(({ name, description, inputSchema, level, effect, isForSandbox: sandbox }) => ({
          ...{ name, description, inputSchema, level, effect, sandbox },
        }));
      return { tools, sandbox: { kind, unsandboxed, bounds } };
    },
  }),
];
