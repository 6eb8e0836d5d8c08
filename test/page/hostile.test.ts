import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENDLESS, HOSTILE, MARK } from './hostile-texts.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';
import { show, startTextPage, type TextPage } from './text-page.ts';

let rig: Rig;
let site: TextPage;
let open: OpenPage;
let dialogs: string[];

describe.skipIf(!BROWSER)('text that somebody else has written', () => {
  beforeAll(async () => {
    [rig, site] = await Promise.all([startRig(), startTextPage()]);
    open = await rig.open(site.url);
    dialogs = [];
    open.page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  });
  afterAll(async () => {
    await rig?.stop();
    site?.stop();
  });

  it.each(Object.entries(HOSTILE))('%s: nothing of it runs or is loaded', async (_, text) => {
    const { page } = open;
    await show(page, 'Markdown', { text });
    await expectHarmless(page);
    await show(page, 'Markdown', { text: `a ${text}`, isStreaming: true });
    await expectHarmless(page);
    await show(page, 'Code', { text, language: 'html' });
    await expectHarmless(page);
    await show(page, 'Diff', { before: 'one\n', after: text, name: `${text.slice(0, 50)}.js` });
    await page.getByText('Added:').first().waitFor({ state: 'attached' });
    await expectHarmless(page);
    open.expectClean();
  });

  it('HTML is there to be read', async () => {
    const { page } = open;
    await show(page, 'Markdown', { text: 'Write <b>this</b>: <script>alert(1)</script>' });
    await page.getByText('Write <b>this</b>: <script>alert(1)</script>').waitFor();
    open.expectClean();
  });

  it.each(Object.entries(ENDLESS))('%s: the page goes on', async (_, text) => {
    const { page } = open;
    await show(page, 'Markdown', { text });
    await expectUsable(page);
    open.expectClean();
  });

  it('output of five megabytes is cut, and so is what it changes', async () => {
    const { page } = open;
    const text = ENDLESS['five megabytes'] ?? '';
    await show(page, 'Code', { text });
    await page.getByRole('button', { name: 'Show all' }).waitFor();
    await show(page, 'Diff', { before: text, after: `${text}\nmore` });
    await page.getByText('Too large to be compared').waitFor();
    await expectUsable(page);
    open.expectClean();
  });
});

interface Tagged {
  getAttributeNames(): string[];
  getAttribute(name: string): string | null;
}

/** Elements that could do something, attributes that could, and addresses that nobody should follow. */
async function expectHarmless(page: Page): Promise<void> {
  const active = 'script, style, iframe, img, object, embed, link, meta, base, form, video, audio, math, details';
  expect(await page.locator(`main :is(${active}, svg:not(.lucide))`).count()).toBe(0);
  const attributes = await page
    .locator('main > :not(h1, label), main > :not(h1, label) *')
    .evaluateAll((all) =>
      (all as unknown as Tagged[]).flatMap((one) =>
        one.getAttributeNames().map((name) => [name, one.getAttribute(name)] as const),
      ),
    );
  expect(attributes.filter(([name]) => /^(on|id$|name$|src|action)/.test(name))).toEqual([]);
  expect(attributes.filter(([name, value]) => name === 'href' && !/^(https?:\/\/|mailto:)/.test(value ?? ''))).toEqual(
    [],
  );
  expect(await page.locator('main a:not([target="_blank"][rel="noopener noreferrer"])').count()).toBe(0);
  expect(await page.evaluate((mark) => mark in globalThis, MARK)).toBe(false);
  expect(dialogs).toEqual([]);
  expect(page.url()).toBe(site.url);
  await expectUsable(page);
}

async function expectUsable(page: Page): Promise<void> {
  const composer = page.getByLabel('Message');
  await composer.fill('still here');
  expect(await composer.inputValue()).toBe('still here');
  await composer.fill('');
}
