import type { Route } from '../route.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { authRoutes } from './auth.ts';
import { completionRoutes } from './completions.ts';
import { conversationRoutes } from './conversations.ts';
import { keyRoutes } from './keys.ts';
import { mcpServerRoutes } from './mcp-servers.ts';
import { memoryRoutes } from './memory.ts';
import { messageRoutes } from './messages.ts';
import { metaRoutes } from './meta.ts';
import { modelRoutes } from './models.ts';
import { presetRoutes } from './presets.ts';
import { providerRoutes } from './providers.ts';
import { runRoutes } from './runs.ts';
import { sessionRoutes } from './sessions.ts';
import { taskRoutes } from './tasks.ts';
import { ticketRoutes } from './tickets.ts';
import { toolMessageRoutes } from './tool-messages.ts';
import { toolPolicyRoutes } from './tool-policy.ts';
import { toolResultRoutes } from './tool-results.ts';
import { toolRuleRoutes } from './tool-rules.ts';
import { toolRoutes } from './tools.ts';
import { transferRoutes } from './transfer.ts';
import { adminRoutes } from './users.ts';
import { webPageRoutes } from './web-page.ts';

const API_ROUTES: readonly Route[] = [
  ...completionRoutes,
  ...conversationRoutes,
  ...messageRoutes,
  ...toolMessageRoutes,
  ...runRoutes,
  ...approvalRoutes,
  ...toolRoutes,
  ...mcpServerRoutes,
  ...toolResultRoutes,
  ...toolRuleRoutes,
  ...toolPolicyRoutes,
  ...memoryRoutes,
  ...transferRoutes,
  ...presetRoutes,
  ...modelRoutes,
  ...providerRoutes,
  ...taskRoutes,
  ...ticketRoutes,
  ...authRoutes,
  ...sessionRoutes,
  ...keyRoutes,
  ...adminRoutes,
  ...auditRoutes,
  ...webPageRoutes,
];

/** Every route of a server, in the order of the document. @param more those of other clients' wires. */
export function routesWith(more: readonly Route[]): readonly Route[] {
  const all = [...API_ROUTES, ...more];
  return [...all, ...metaRoutes(all)];
}
