import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, composer, expectAsStored, idOf, plain, say, stored, stream } from './chat.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

let rig: Rig;
let server: TestServer;
let open: OpenPage;

describe.skipIf(!BROWSER)('a conversation', () => {
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    await open?.context.close();
    open = await rig.open(server.url);
  });

  it('begins with its first message, and the answer grows', async () => {
    const { page } = open;
    await say(page, `/reason Because it is so.\n${stream(60, 20)}`);
    const id = await idOf(page);
    const text = page.locator('.step-text');
    await text.waitFor();
    const early = plain(await text.innerText());
    await expect.poll(async () => plain(await text.innerText()).length).toBeGreaterThan(early.length);
    expect(plain(await text.innerText()).startsWith(early)).toBe(true);
    await expectAsStored(page, server, id);
    expect(await composer(page).inputValue()).toBe('');
    // What was reasoned is folded, and there to be read.
    const thought = page.getByText('Because it is so.', { exact: true });
    expect(await thought.isVisible()).toBe(false);
    await page.getByText(/^Thought for/).click();
    await thought.waitFor();
    open.expectClean();
  });

  it('tells in small what an answer took, and copies it', async () => {
    const { page, context } = open;
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await say(page, '/say To be copied');
    await page.getByRole('button', { name: 'Copy answer' }).click();
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe('To be copied');
    await page.getByText(/demo\/demo · \d+ tokens/).waitFor();
    open.expectClean();
  });

  it('is sent once, also if the answer to it is lost', async () => {
    const { page } = open;
    const keys: (string | undefined)[] = [];
    await page.route('**/messages/agentic', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      if (keys.length > 1) return route.continue();
      await fetch(route.request().url(), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': keys[0] ?? '' },
        body: route.request().postData(),
      });
      await route.abort('connectionreset');
    });
    await say(page, '/say Only once');
    await answers(page).getByText('Only once').waitFor();
    await expect.poll(() => keys.length).toBe(2);
    expect(keys[1]).toBe(keys[0]);
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    expect(await stored(server, await idOf(page))).toHaveLength(2);
    open.expectClean(/ERR_CONNECTION_RESET/);
  });

  it('gives the text back if it is refused', async () => {
    const { page } = open;
    const refusal = { error: 'The budget is used up', code: 'budget_exceeded', requestId: 'req_1', details: {} };
    await page.route('**/messages/agentic', (route) => route.fulfill({ status: 429, json: refusal }));
    await say(page, 'Do not lose me');
    await page.getByText('Not sent: The budget is used up').waitFor();
    // Nothing empty is left behind.
    await page.getByRole('heading', { name: 'New conversation' }).waitFor();
    expect(await composer(page).inputValue()).toBe('Do not lose me');
    const about = (): Promise<string[]> => page.getByRole('navigation').getByText('Untitled').allInnerTexts();
    await expect.poll(about).toEqual([]);
    await page.unroute('**/messages/agentic');
    await composer(page).press('Enter');
    await answers(page).waitFor();
    open.expectClean(/429/);
  });

  it('keeps a draft over a reload, and sends Shift+Enter as a line', async () => {
    const { page } = open;
    await composer(page).fill('/say one');
    await composer(page).press('Shift+Enter');
    await composer(page).pressSequentially('two');
    await page.getByLabel('What tools may do').selectOption('full');
    await page.reload();
    await expect.poll(() => composer(page).inputValue()).toBe('/say one\ntwo');
    // What does most harm is chosen each time.
    expect(await page.getByLabel('What tools may do').inputValue()).toBe('ask');
    await page.getByLabel('What tools may do').focus();
    await page.getByRole('link', { name: 'New chat' }).first().click();
    const isInField = (): Promise<unknown> =>
      composer(page).evaluate((field) => field === field.ownerDocument.activeElement);
    await expect.poll(isInField).toBe(true);
    open.expectClean();
  });

  it('has lines from Enter where there is no keyboard', async () => {
    const phone = await rig.open(server.url, { hasTouch: true, isMobile: true, viewport: { width: 360, height: 700 } });
    const { page } = phone;
    await say(page, '/say one');
    await composer(page).pressSequentially('two');
    expect(await composer(page).inputValue()).toBe('/say one\ntwo');
    await page.getByRole('button', { name: 'Send' }).click();
    await answers(page).first().waitFor();
    phone.expectClean();
    await phone.context.close();
  });

  it('is stopped with Escape, pressed twice, and what was said stays', async () => {
    const { page } = open;
    await say(page, stream(400, 20));
    await page.locator('.step-text').waitFor();
    await composer(page).press('Escape');
    await page.getByText('Press Escape once more to stop.').waitFor();
    await composer(page).press('Escape');
    await page.getByText('Stopped.').waitFor();
    await expectAsStored(page, server, await idOf(page));
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    await say(page, stream(400, 20));
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    expect(await composer(page).evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true);
    open.expectClean();
  });

  it('takes what is said while it is answered', async () => {
    const { page } = open;
    await say(page, `${stream(60, 20)}\n/tool list_directory\n/next\n/say The end`);
    await page.locator('.step-text').waitFor();
    await say(page, 'Be quick');
    const said = page.getByRole('article', { name: 'You' }).getByText('Be quick');
    await said.waitFor();
    const id = await idOf(page);
    await page.getByText('You also said').or(answers(page).getByText('The end')).first().waitFor();
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const users = (await stored(server, id)).filter(({ role }) => role === 'user');
    expect(users.map(({ content }) => content).at(-1)).toBe('Be quick');
    expect(await said.count()).toBe(1);
    open.expectClean();
  });

  it('is told once what is said meanwhile, also if the answer to it is lost', async () => {
    const { page } = open;
    await say(page, `${stream(100, 25)}\n/tool list_directory\n/next\n/say The end`);
    await page.locator('.step-text').waitFor();
    let tries = 0;
    await page.route('**/api/chat/runs/*/messages', async (route) => {
      tries += 1;
      if (tries > 1) {
        await composer(page).fill('Be quick, and then');
        return route.continue();
      }
      await route.fetch();
      await route.abort('connectionreset');
    });
    await say(page, 'Be quick');
    await expect.poll(() => composer(page).inputValue()).toBe(', and then');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const said = (await stored(server, await idOf(page))).filter(({ content }) => content === 'Be quick');
    expect(said).toHaveLength(1);
    open.expectClean(/ERR_CONNECTION_RESET/);
  });

  it('is followed by another window', async () => {
    const { page } = open;
    await say(page, '/say First');
    const id = await idOf(page);
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const other = await rig.open(page.url());
    await answers(other.page).getByText('First').waitFor();
    await say(page, stream(150, 25));
    const texts = [page, other.page].map((window) => window.locator('.step-text').nth(1));
    for (const text of texts) await text.waitFor();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await other.page.getByRole('button', { name: 'Stop' }).click();
    await expectAsStored(page, server, id);
    await expectAsStored(other.page, server, id);
    other.expectClean();
    await other.context.close();
    open.expectClean();
  });

  it('has a message changed, which deletes nothing until it is sent', async () => {
    const { page } = open;
    for (const word of ['One', 'Two']) {
      await say(page, `/say ${word}`);
      await answers(page).getByText(word, { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Answer again' }).waitFor();
    }
    const id = await idOf(page);
    const change = async (nth: number, text: string): Promise<void> => {
      await page.getByRole('article', { name: 'You' }).nth(nth).hover();
      await page.getByRole('button', { name: 'Edit and send again' }).nth(nth).click();
      await page.getByText('Editing a message').waitFor();
      await expect.poll(() => composer(page).inputValue()).toBe(text);
    };
    await composer(page).fill('Not sent yet');
    await change(1, '/say Two');
    await change(0, '/say One');
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await composer(page).inputValue()).toBe('Not sent yet');
    await change(1, '/say Two');
    await composer(page).press('Escape');
    expect(await composer(page).inputValue()).toBe('Not sent yet');
    expect(await stored(server, id)).toHaveLength(4);
    await change(1, '/say Two');
    await say(page, '/say Other');
    await answers(page).getByText('Other', { exact: true }).waitFor();
    await answers(page).getByText('Two', { exact: true }).waitFor({ state: 'detached' });
    expect(await composer(page).inputValue()).toBe('Not sent yet');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    // More than its own answer goes with the first one.
    await change(0, '/say One');
    await say(page, '/say Three');
    expect(await stored(server, id)).toHaveLength(4);
    await page.getByRole('button', { name: 'Delete and send' }).click();
    await answers(page).getByText('Three').waitFor();
    await expect.poll(async () => (await stored(server, id)).length).toBe(2);
    expect(await composer(page).inputValue()).toBe('Not sent yet');
    await expectAsStored(page, server, id);
    open.expectClean();
  });

  it('is answered again once, with the draft left alone', async () => {
    const { page } = open;
    await say(page, '/say One');
    const again = page.getByRole('button', { name: 'Answer again' });
    await again.waitFor();
    const id = await idOf(page);
    const [first] = await stored(server, id);
    await composer(page).fill('Not sent yet');
    let deletions = 0;
    page.on('request', (request) => {
      if (request.method() === 'DELETE') deletions += 1;
    });
    await again.dblclick();
    await expect.poll(async () => (await stored(server, id)).length).toBe(2);
    await expect.poll(async () => (await stored(server, id))[0]?.id).not.toBe(first?.id);
    await expectAsStored(page, server, id);
    expect(await page.getByText(/not found/).count()).toBe(0);
    expect(deletions).toBe(1);
    expect(await composer(page).inputValue()).toBe('Not sent yet');
    open.expectClean();
  });

  it('goes on in a copy', async () => {
    const { page } = open;
    await say(page, '/say To be copied');
    const id = await idOf(page);
    await page.getByRole('button', { name: 'Go on from here in a copy' }).click();
    await expect.poll(() => page.url()).not.toContain(id);
    await answers(page).getByText('To be copied').waitFor();
    open.expectClean();
  });
});
