import type { Route } from '../route.ts';
import { completionRoutes } from './completions.ts';
import { metaRoutes } from './meta.ts';
import { modelRoutes } from './models.ts';
import { presetRoutes } from './presets.ts';
import { providerRoutes } from './providers.ts';
import { taskRoutes } from './tasks.ts';
import { ticketRoutes } from './tickets.ts';

const API_ROUTES: readonly Route[] = [
  ...completionRoutes,
  ...presetRoutes,
  ...modelRoutes,
  ...providerRoutes,
  ...taskRoutes,
  ...ticketRoutes,
];

/** Every route of the server, in the order of the document. */
export const ROUTES: readonly Route[] = [...API_ROUTES, ...metaRoutes(API_ROUTES)];
