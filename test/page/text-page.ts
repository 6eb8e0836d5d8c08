import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { openWebPage } from '../../src/http/web-page.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A page that shows nothing but the components for text, under the same policy as the real one. */
export interface TextPage {
  url: string;
  stop(): void;
}

/** What is rendered as Markdown since the page was opened. */
export interface Rendered {
  blocks: number;
  characters: number;
}

/** Builds and serves it. */
export async function startTextPage(): Promise<TextPage> {
  const outDir = mkdtempSync(join(tmpdir(), 'profclaw-text-'));
  const original = join(ROOT, 'node_modules/react-markdown/index.js');
  await build({
    root: join(import.meta.dirname, 'harness'),
    base: './',
    configFile: false,
    logLevel: 'error',
    resolve: {
      alias: [
        { find: 'react-markdown/counted', replacement: original },
        { find: /^react-markdown$/, replacement: join(import.meta.dirname, 'harness/counting-markdown.js') },
      ],
    },
    build: { outDir, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  const page = openWebPage(outDir);
  const server = createServer(async (request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1) || 'index.html';
    const file = await page?.file(name, '');
    response.writeHead(file ? 200 : 404, file?.headers ?? {}).end(file?.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () => {
      server.close();
      server.closeAllConnections();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}

/** Has the page show a component with these properties, and waits until it has. */
export async function show(page: Page, name: 'Markdown' | 'Code' | 'Diff', props: Shown): Promise<void> {
  await page.evaluate(([component, given]) => (globalThis as unknown as Harness).show(component, given), [
    name,
    props,
  ] as const);
  await page.getByRole('heading', { name: 'Text', level: 1 }).waitFor();
}

/** @returns what has been rendered as Markdown since the page was opened. */
export function rendered(page: Page): Promise<Rendered> {
  return page.evaluate(() => (globalThis as unknown as Harness).rendered);
}

interface Shown {
  text?: string;
  isStreaming?: boolean;
  language?: string;
  before?: string;
  after?: string;
  name?: string;
}

interface Harness {
  show(name: string, props: Shown): void;
  rendered: Rendered;
}
