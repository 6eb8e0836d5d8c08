import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

const DOCS = 'docs/use-chat.md';
const HTML = '<!doctype html><meta charset="utf-8"><title>useChat</title><link rel="icon" href="data:,">';

/** The JavaScript that a page of the docs shows, as a module. */
const docs: Plugin = {
  name: 'docs',
  resolveId: (id) => (id === DOCS ? `\0${DOCS}.js` : null),
  load: (id) => {
    if (id !== `\0${DOCS}.js`) return null;
    const text = readFileSync(join(import.meta.dirname, '../../..', DOCS), 'utf8');
    return /^```js\n(.*?)^```$/ms.exec(text)?.[1] ?? null;
  },
};

/** Bundles the page with the hook as its package has it, and React's build for development, and serves it. */
export async function serveUseChatPage(): Promise<{ url: string; stop(): void }> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'main.jsx'),
    platform: 'browser',
    plugins: [docs],
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'iife' });
  await bundle.close();
  const script = output[0].code.replaceAll('</script', '<\\/script');
  const html = `${HTML}<body><div id="page"></div><script>${script}</script></body>`;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
