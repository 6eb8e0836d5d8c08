import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';
import { rendered, show, startTextPage } from './text-page.ts';

/** Bytes, compressed, of all that the first load asks for. */
const MOST_BYTES = 300_000;
const PIECES = 16;

describe.skipIf(!BROWSER)('what the page costs', () => {
  let rig: Rig;
  let server: TestServer;
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });

  it('the first load is small', async () => {
    const open = await rig.open(server.url);
    // The other one has nothing yet of what it could keep.
    const context = await rig.browser.newContext();
    const page = await context.newPage();
    const sizes = new Map<string, Promise<number>>();
    page.on('requestfinished', (request) => {
      sizes.set(
        request.url(),
        request.sizes().then(({ responseBodySize }) => responseBodySize),
      );
    });
    await page.goto(server.url);
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.waitForLoadState('networkidle');
    const all = await Promise.all([...sizes].map(async ([url, size]) => [url, await size] as const));
    const total = all.reduce((sum, [, size]) => sum + size, 0);
    expect(all.some(([url, size]) => /\/assets\/.*\.js$/.test(url) && size > 50_000)).toBe(true);
    expect(total, JSON.stringify(all)).toBeLessThan(MOST_BYTES);
    await context.close();
    open.expectClean();
  });

  it('a piece that is added to a long text costs no more than one that is added to a short one', async () => {
    const site = await startTextPage();
    try {
      const costs: number[] = [];
      for (const paragraphs of [2, 100]) {
        const open = await rig.open(site.url);
        let text = Array.from({ length: paragraphs }, (_, at) => `Paragraph ${at} has **some** text.\n\n`).join('');
        await show(open.page, 'Markdown', { text, isStreaming: true });
        await open.page.getByText(`Paragraph ${paragraphs - 1} has`).waitFor();
        const before = await rendered(open.page);
        for (let at = 0; at < PIECES; at++) {
          text += at % 8 === 0 ? `\n\npiece${at} ` : `piece${at} `;
          await show(open.page, 'Markdown', { text, isStreaming: true });
          await open.page.getByText(`piece${at}`).waitFor();
        }
        const after = await rendered(open.page);
        costs.push(after.blocks - before.blocks);
        // Each piece is in the last block, and where one ends it is rendered once more.
        expect(after.blocks - before.blocks).toBeLessThanOrEqual(PIECES * 2);
        expect((after.characters - before.characters) / (after.blocks - before.blocks)).toBeLessThan(100);
        open.expectClean();
      }
      expect(costs[1]).toBeLessThanOrEqual((costs[0] ?? 0) + 10);
    } finally {
      site.stop();
    }
  });
});
