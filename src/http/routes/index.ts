import type { Route } from '../route.ts';
import { completionRoutes } from './completions.ts';
import { conversationRoutes } from './conversations.ts';
import { memoryRoutes } from './memory.ts';
import { messageRoutes } from './messages.ts';
import { metaRoutes } from './meta.ts';
import { modelRoutes } from './models.ts';
import { presetRoutes } from './presets.ts';
import { providerRoutes } from './providers.ts';
import { taskRoutes } from './tasks.ts';
import { ticketRoutes } from './tickets.ts';
import { transferRoutes } from './transfer.ts';

const API_ROUTES: readonly Route[] = [
  ...completionRoutes,
  ...conversationRoutes,
  ...messageRoutes,
  ...memoryRoutes,
  ...transferRoutes,
  ...presetRoutes,
  ...modelRoutes,
  ...providerRoutes,
  ...taskRoutes,
  ...ticketRoutes,
];

/** Every route of the server, in the order of the document. */
export const ROUTES: readonly Route[] = [...API_ROUTES, ...metaRoutes(API_ROUTES)];
