import type { Browser } from 'playwright-core';

/** Milliseconds from the start of the navigation until the composer takes text, and what came over the network. */
export interface Load {
  readyMs: number;
  /** Compressed bytes of every file, by its name. */
  bytes: Map<string, number>;
}

/** Opens the page in a browser that has nothing of it yet. */
export async function firstLoad(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(`
    const look = () => {
      const field = document.querySelector('textarea[aria-label="Message"]');
      if (!field || field.disabled) return requestAnimationFrame(look);
      window.readyMs = performance.now();
    };
    look();
  `);
  const sizes = new Map<string, Promise<number>>();
  page.on('requestfinished', (request) => {
    const name = new URL(request.url()).pathname;
    sizes.set(
      name,
      request.sizes().then(({ responseBodySize }) => responseBodySize),
    );
  });
  await page.goto(url);
  await page.getByRole('textbox', { name: 'Message' }).fill('text');
  await page.waitForLoadState('networkidle');
  const readyMs = await page.evaluate<number>('window.readyMs');
  const bytes = new Map<string, number>();
  for (const [name, size] of sizes) bytes.set(name, await size);
  await context.close();
  return { readyMs, bytes };
}

/** Milliseconds that the same browser takes for an answer of the server with nothing in it to run. */
export async function blankLoad(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/health`);
  const ms = await page.evaluate<number>(`performance.getEntriesByType('navigation')[0].domComplete`);
  await context.close();
  return ms;
}
