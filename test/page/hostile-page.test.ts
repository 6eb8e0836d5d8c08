import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { ENDLESS, HOSTILE, MARK } from './hostile-texts.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

const IMAGE = `<img src=x onerror="window.${MARK}=1">`;
/** What may be stored: not half characters, not NUL. */
const TEXT = Object.values(HOSTILE).join('\n\n').toWellFormed().replaceAll('\0', '');

describe.skipIf(!BROWSER)('the page, with what others have written', () => {
  let rig: Rig;
  let server: TestServer;
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });

  it('a conversation full of it runs nothing and stays usable', async () => {
    const { body } = await server.call('/api/chat/conversations/import', {
      conversation: { title: `${IMAGE} javascript:alert(1)` },
      messages: [
        { role: 'user', content: TEXT },
        {
          role: 'assistant',
          content: TEXT,
          reasoning: TEXT,
          toolCalls: [
            {
              id: 'call_1',
              name: `${IMAGE.replaceAll(/\W/g, '_')}`,
              arguments: { [IMAGE]: TEXT },
              result: TEXT,
              status: 'success',
            },
            {
              id: 'call_2',
              name: 'constructor',
              arguments: { path: IMAGE, content: TEXT },
              result: TEXT,
              status: 'error',
            },
          ],
        },
        { role: 'assistant', content: TEXT },
      ],
    });
    expect(body.conversation?.id, JSON.stringify(body)).toBeDefined();
    const open = await rig.open(`${server.url}/#/chat/${body.conversation.id}`);
    const { page } = open;
    await page.getByRole('main').getByText('<script>').first().waitFor();
    // All that is folded is looked at too.
    await page.evaluate(`document.querySelectorAll('main details').forEach((one) => { one.open = true; })`);
    await expectHarmless(open);
    const url = page.url();
    await page.getByRole('textbox', { name: 'Message' }).fill(`/say ${IMAGE} was written`);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText(`${IMAGE} was written`, { exact: true }).last().waitFor();
    await expectHarmless(open);
    expect(page.url()).toBe(url);
    open.expectClean();
  });

  it('an answer of five megabytes leaves it usable', async () => {
    const { body } = await server.call('/api/chat/conversations/import', {
      conversation: { title: 'Long' },
      messages: [
        { role: 'user', content: 'All of it' },
        { role: 'assistant', content: ENDLESS['five megabytes'] },
      ],
    });
    const open = await rig.open(`${server.url}/#/chat/${body.conversation.id}`);
    const composer = open.page.getByRole('textbox', { name: 'Message' });
    await open.page
      .getByText(/^Paragraph \d+ with/)
      .first()
      .waitFor();
    await composer.fill('still here');
    expect(await composer.inputValue()).toBe('still here');
    open.expectClean();
  });
});

async function expectHarmless({ page }: OpenPage): Promise<void> {
  await expectNone(page, 'main :is(script, style, iframe, object, embed, link, meta, base, video, audio, math)');
  await expectNone(
    page,
    'main :is([onload], [onerror], [onclick], [onfocus], [ontoggle], img:not([src^="data:image/"]))',
  );
  await expectNone(page, 'main a:not([href^="https://"], [href^="http://"], [href^="mailto:"], [href^="#/"])');
  expect(await page.evaluate((mark) => mark in globalThis, MARK)).toBe(false);
}

async function expectNone(page: Page, selector: string): Promise<void> {
  expect(await page.locator(selector).evaluateAll((all) => all.map(String))).toEqual([]);
}
