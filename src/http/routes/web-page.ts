import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import type { Page } from '../page.ts';
import { defineRoute, type Route, type RouteRequest } from '../route.ts';

const common = { method: 'get', scope: 'public', tag: 'Server', response: z.string() } as const;

/** The page and its files. Also for strangers: it asks who they are, and the API keeps them out. */
export const webPageRoutes: readonly Route[] = [
  defineRoute({
    ...common,
    path: '/',
    summary: 'The page',
    contentType: 'text/html',
    handle: (request) => file(request, 'index.html'),
  }),
  defineRoute({
    ...common,
    path: '/icon.svg',
    summary: 'Its icon',
    contentType: 'image/svg+xml',
    handle: (request) => file(request, 'icon.svg'),
  }),
  defineRoute({
    ...common,
    path: '/assets/{name}',
    summary: 'Its scripts and styles',
    contentType: 'text/javascript',
    params: z.object({ name: z.string() }),
    errors: ['not_found'],
    handle: (request) => file(request, `assets/${request.params.name}`),
  }),
];

async function file(
  { services: { webPage }, acceptEncoding }: RouteRequest<unknown, unknown, unknown>,
  name: string,
): Promise<Page<Uint8Array>> {
  if (!webPage) throw new NotFoundError('Page', name, 'it was not built: npm run build does');
  const found = await webPage.file(name, acceptEncoding);
  if (!found) throw new NotFoundError('Page', name);
  return found;
}
