import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRun } from '../../src/client/follow-run.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { accessibilityProblems } from './accessibility.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

describe.skipIf(!BROWSER)('what is around every page', () => {
  let server: TestServer;
  let rig: Rig;

  beforeAll(async () => {
    [server, rig] = await Promise.all([startTestServer(), startRig()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });

  const begin = async (title: string): Promise<string> =>
    (await server.call('/api/chat/conversations', { title })).body.conversation.id;
  const statusOf = async (id: string): Promise<number> => (await server.call(`/api/chat/conversations/${id}`)).status;
  const titleOf = async (id: string): Promise<string> =>
    (await server.call(`/api/chat/conversations/${id}`)).body.conversation.title;
  const choose = async (page: Page, title: string, item: string): Promise<void> => {
    await page.getByRole('link', { name: title, exact: true }).hover();
    await page.getByRole('button', { name: `More for “${title}”` }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };

  test('the search finds by title, says that there is nothing, and shows all again', async () => {
    await begin('Sailing to Iceland');
    await begin('Growing tomatoes');
    const { page, expectClean } = await rig.open(server.url);
    await page.getByRole('link', { name: 'Sailing to Iceland' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('tomato');
    await page.getByRole('link', { name: 'Sailing to Iceland' }).waitFor({ state: 'detached' });
    expect(await page.getByRole('link', { name: 'Growing tomatoes' }).count()).toBe(1);
    await page.getByLabel('Search conversations').fill('rhinoceros');
    await page.getByText('Nothing found for “rhinoceros”.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Sailing to Iceland' }).waitFor();
    expectClean();
  });

  test('everything in the list goes by keyboard: moving, renaming, deleting, opening', async () => {
    const ids = [await begin('Third'), await begin('Second'), await begin('First')];
    const { page, expectClean } = await rig.open(server.url);
    await page.getByRole('link', { name: 'First', exact: true }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toBe('First');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toBe('Second');
    await page.keyboard.press('F2');
    await page.keyboard.type('Renamed');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Renamed', exact: true }).waitFor();
    await expect.poll(() => focused(page)).toBe('Renamed');
    await expect.poll(() => titleOf(ids[1] ?? '')).toBe('Renamed');
    await page.keyboard.press('F2');
    await page.keyboard.type('Never');
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page)).toBe('Renamed');
    // What was changed last stands first.
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toBe('First');
    await page.keyboard.press('Delete');
    await page.getByText('“First” deleted').waitFor();
    await expect.poll(() => focused(page)).toBe('Third');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => focused(page)).toBe('Renamed');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain(`#/chat/${ids[1]}`);
    expect(await page.locator('[aria-current=page]').first().textContent()).toContain('Renamed');
    expect(await titleOf(ids[1] ?? '')).toBe('Renamed');
    expectClean();
  });

  test('a conversation is renamed in its menu, and forked', async () => {
    const id = await begin('Old name');
    const { page, expectClean } = await rig.open(server.url);
    await choose(page, 'Old name', 'Rename');
    await page.getByLabel('Title').fill('New name');
    await page.getByLabel('Title').press('Enter');
    await expect.poll(() => titleOf(id)).toBe('New name');
    await choose(page, 'New name', 'Fork');
    await expect.poll(() => page.url()).toMatch(/#\/chat\/conv_/);
    const fork = page.url().split('/').at(-1) ?? '';
    expect(fork).not.toBe(id);
    expect(await titleOf(fork)).toContain('New name');
    await expect.poll(() => page.title()).toContain('New name');
    expectClean();
  });

  test('an open conversation is renamed and deleted above it, and no message covers a title', async () => {
    const id = await begin('Above');
    const { page, expectClean } = await rig.open(server.url);
    await page.goto(`${server.url}/#/chat/${id}`);
    const more = page.getByRole('button', { name: 'More of this conversation' });
    await more.click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Title').fill('Renamed above');
    await page.getByLabel('Title').press('Enter');
    await page.getByRole('heading', { name: 'Renamed above' }).waitFor();
    await page.getByRole('link', { name: 'Renamed above', exact: true }).waitFor();
    expect(await titleOf(id)).toBe('Renamed above');
    await more.click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const said = page.getByText('“Renamed above” deleted');
    await said.waitFor();
    await page.getByRole('link', { name: 'Renamed above', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Renamed above' }).waitFor();
    await more.click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await said.waitFor();
    // What is written of a title, not the room that is left beside it.
    const places = await page.evaluate(`['.toast', 'h1'].map((name) => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector(name));
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return { left, right, top, bottom };
    })`);
    const [toast, title] = places as { left: number; right: number; top: number; bottom: number }[];
    expect(toast && title && toast.left < title.right && toast.top < title.bottom).toBe(false);
    expect(toast?.top).toBeGreaterThan(48);
    expectClean();
  });

  test('an export has what was said, and can be imported; anything else is refused with a reason', async () => {
    const id = await begin('To take along');
    await server.call(`/api/chat/conversations/${id}/messages`, { content: '/say Forty-two', model: 'demo' });
    const { page, expectClean } = await rig.open(server.url);
    const save = async (item: string): Promise<{ name: string; content: string }> => {
      const [download] = await Promise.all([page.waitForEvent('download'), choose(page, 'To take along', item)]);
      return { name: download.suggestedFilename(), content: readFileSync(await download.path(), 'utf8') };
    };
    const markdown = await save('Export as Markdown');
    expect(markdown.name).toBe('To take along.md');
    expect(markdown.content).toContain('Forty-two');
    expect(markdown.content).not.toContain('"content"');
    const json = await save('Export as JSON');
    expect(json.name).toBe('To take along.json');

    const take = async (content: string): Promise<void> => {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        (async () => {
          await page.getByRole('button', { name: 'More', exact: true }).click();
          await page.getByRole('menuitem', { name: 'Import a conversation' }).click();
        })(),
      ]);
      await chooser.setFiles({ name: 'a.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    };
    await take(json.content);
    await expect.poll(() => page.url()).toMatch(/#\/chat\/conv_/);
    const imported = (await server.call(`/api/chat/conversations/${page.url().split('/').at(-1)}`)).body;
    expect(imported.conversation.id).not.toBe(id);
    expect(imported.messages.map(({ content }: { content: string }) => content)).toEqual([
      '/say Forty-two',
      'Forty-two',
    ]);
    await take('[]');
    await page.getByText('“a.json” was not imported: it is no exported conversation').waitFor();
    expectClean(/status of 400/);
  });

  test('a deletion can be taken back', async () => {
    const id = await begin('Nearly lost');
    const { page, expectClean } = await rig.open(`${server.url}/#/chat/${id}`);
    await choose(page, 'Nearly lost', 'Delete');
    await page.getByRole('link', { name: 'Nearly lost' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.url()).toMatch(/#\/$/);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'Nearly lost' }).waitFor();
    await expect.poll(() => page.url()).toContain(id);
    expect(await statusOf(id)).toBe(200);
    expectClean();
  });

  test('a deletion is final after a while, or as soon as the page is left', async () => {
    const [slow, left] = [await begin('Lost slowly'), await begin('Lost by leaving')];
    const { page, expectClean } = await rig.open(server.url);
    await page.getByRole('link', { name: 'Lost slowly' }).waitFor();
    await page.clock.install();
    await choose(page, 'Lost slowly', 'Delete');
    await page.clock.fastForward(7000);
    expect(await statusOf(slow)).toBe(200);
    await page.clock.fastForward(1500);
    await expect.poll(() => statusOf(slow)).toBe(404);
    await choose(page, 'Lost by leaving', 'Delete');
    await page.getByText('“Lost by leaving” deleted').waitFor();
    expect(await statusOf(left)).toBe(200);
    await page.goto('about:blank');
    await expect.poll(() => statusOf(left)).toBe(404);
    expectClean();
  });

  test('a deletion that the server refuses brings the conversation back, with the reason', async () => {
    await begin('Not to be deleted');
    const { page, expectClean } = await rig.open(server.url);
    await page.route('**/api/chat/conversations/*', (route) =>
      route.request().method() === 'DELETE' ? route.abort() : route.continue(),
    );
    await page.getByRole('link', { name: 'Not to be deleted' }).waitFor();
    await page.clock.install();
    await choose(page, 'Not to be deleted', 'Delete');
    await page.getByRole('link', { name: 'Not to be deleted' }).waitFor({ state: 'detached' });
    await page.clock.fastForward(8500);
    await page.getByText(/“Not to be deleted” could not be deleted: The server at .* cannot be reached/).waitFor();
    await page.getByRole('link', { name: 'Not to be deleted' }).waitFor();
    expectClean(/ERR_FAILED/);
  });

  test('the theme is chosen, kept, and there before the page’s script', async () => {
    const { page, expectClean } = await rig.open(server.url, { colorScheme: 'light' });
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await background();
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.route('**/assets/index-*.js', (route) => route.abort());
    await page.reload();
    expect(await background()).toBe(dark);
    await page.unroute('**/assets/index-*.js');
    await page.reload();
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitemradio', { name: 'As the system' }).click();
    expect(await background()).toBe(light);
    expectClean(/ERR_FAILED/);
  });

  test('on a phone the sidebar is a drawer, which closes when something was chosen', async () => {
    const id = await begin('On the phone');
    const { page, expectClean } = await rig.open(server.url, { viewport: { width: 360, height: 700 }, hasTouch: true });
    const link = page.getByRole('link', { name: 'On the phone' });
    const open = page.getByRole('button', { name: 'Show the sidebar' });
    expect(await link.isVisible()).toBe(false);
    await open.click();
    await link.waitFor();
    expect(await page.evaluate("document.activeElement?.closest('nav')?.ariaLabel")).toBe('Main');
    await page.keyboard.press('Escape');
    await link.waitFor({ state: 'hidden' });
    await open.click();
    await link.click();
    await expect.poll(() => page.url()).toContain(id);
    await link.waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expectClean();
  });

  test('keys lead anywhere, except where one types; a dialog lists them', async () => {
    const { page, expectClean } = await rig.open(`${server.url}/#/runs`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByLabel('Search conversations').press('?');
    expect(await page.getByLabel('Search conversations').inputValue()).toBe('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Skip to the page' }).press('Enter');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('New chat').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+Shift+o');
    await expect.poll(() => page.url()).toMatch(/#\/$/);
    await page.getByRole('button', { name: 'Hide the sidebar' }).click();
    await page.keyboard.press('Control+k');
    await expect.poll(() => page.evaluate('document.activeElement?.ariaLabel')).toBe('Search conversations');
    expectClean();
  });

  test('an approval that waits is marked, counted and in the window’s title, until it is answered', async () => {
    const conversationId = await begin('Asks something');
    const { page, expectClean } = await rig.open(`${server.url}/#/settings`);
    // Before the page’s script, so that what it does every few seconds can be had at once.
    await page.clock.install();
    await page.reload();
    await page.getByRole('link', { name: 'Asks something' }).waitFor();
    expect(await page.title()).toBe('Settings · profclaw');
    const call = '/tool exec {"command": "ls"}';
    const message = { content: call, model: 'demo', securityMode: 'ask' };
    const { signal } = new AbortController();
    await startRun({ url: server.url }, conversationId, message, { signal, key: 'asks' });
    const approvals = '/api/chat/approvals?status=pending';
    const asked = async (): Promise<Json[]> => (await server.call(approvals)).body.approvals;
    await expect.poll(asked).toHaveLength(1);
    await page.clock.fastForward(15_000);
    await page.getByRole('link', { name: 'Asks something (waits for your answer)' }).waitFor();
    await page.getByRole('link', { name: 'Runs 1 approval waits' }).waitFor();
    expect(await page.title()).toBe('(1) Settings · profclaw');
    const [{ id: approvalId }] = await asked();
    await server.call('/api/chat/tools/approve', { conversationId, approvalId, decision: 'deny' });
    await page.clock.fastForward(5000);
    await expect.poll(() => page.title()).toBe('Settings · profclaw');
    await page.getByRole('link', { name: 'Asks something', exact: true }).waitFor();
    expectClean();
  });

  test('nothing in it keeps people with a screen reader out', async () => {
    await begin('Read aloud');
    const { page, expectClean } = await rig.open(`${server.url}/#/runs`);
    await page.getByRole('link', { name: 'Read aloud' }).waitFor();
    expect(await accessibilityProblems(page, 'nav')).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'More for “Read aloud”' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    expect(await accessibilityProblems(page, 'nav')).toEqual([]);
    expectClean();
  });
});

describe.skipIf(!BROWSER)('hundreds of conversations', () => {
  test('scroll to the oldest, with few of them in the page at a time', async () => {
    const server = await startTestServer();
    const rig = await startRig();
    try {
      for (let at = 0; at < 250; at += 1) await server.call('/api/chat/conversations', { title: `Number ${at}` });
      const { page, expectClean } = await rig.open(server.url);
      await page.getByRole('link', { name: 'Number 249' }).waitFor();
      await page.keyboard.press('Control+k');
      await page.keyboard.press('ArrowDown');
      const oldest = page.getByRole('link', { name: 'Number 0', exact: true });
      await expect
        .poll(
          async () => {
            await page.keyboard.press('End');
            expect(await page.getByRole('listitem').count()).toBeLessThan(60);
            return await oldest.count();
          },
          { timeout: 10_000 },
        )
        .toBe(1);
      await page.keyboard.press('End');
      await expect.poll(() => focused(page)).toBe('Number 0');
      expectClean();
    } finally {
      await rig.stop();
      await server.stop();
    }
  });
});

/** The text of what has the focus. */
function focused(page: Page): Promise<string | undefined> {
  return page.evaluate('document.activeElement?.textContent');
}
