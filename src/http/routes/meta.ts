import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { DOCS_PAGE, DOCS_POLICY } from '../docs-page.ts';
import { openApiDocument } from '../openapi.ts';
import { Page } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';

const health = defineRoute({
  method: 'get',
  path: '/health',
  scope: 'open',
  tag: 'Server',
  summary: 'Is the process alive',
  response: z.object({ status: z.literal('ok') }),
  handle: () => ({ status: 'ok' }),
});

const ready = defineRoute({
  method: 'get',
  path: '/ready',
  scope: 'open',
  tag: 'Server',
  summary: 'Can it work: storage reachable, migrations done',
  response: z.object({ status: z.literal('ready') }),
  errors: ['overloaded'],
  handle: async ({ services }) => {
    try {
      await services.database.ping();
    } catch (cause) {
      throw new AppError('overloaded', 'The storage cannot be reached', { cause, retryAfter: 5 });
    }
    return { status: 'ready' };
  },
});

const docs = defineRoute({
  method: 'get',
  path: '/docs',
  scope: 'any',
  tag: 'Server',
  summary: 'This interface for reading',
  response: z.string().describe('An HTML page.'),
  contentType: 'text/html',
  handle: () =>
    new Page(DOCS_PAGE, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': DOCS_POLICY }),
});

/** The server's own routes; the document describes `others` and these. */
export function metaRoutes(others: readonly Route[]): Route[] {
  let document: string | undefined;
  const openapi = defineRoute({
    method: 'get',
    path: '/api/openapi.json',
    scope: 'any',
    tag: 'Server',
    summary: 'This interface as OpenAPI 3.1',
    response: z.looseObject({}),
    handle: ({ services }) => {
      document ??= JSON.stringify(openApiDocument([...others, ...own], services.version));
      return new Page(document, { 'content-type': 'application/json; charset=utf-8' });
    },
  });
  const own: Route[] = [health, ready, openapi, docs];
  return own;
}
