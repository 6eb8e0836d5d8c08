import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../free-port.ts';
import { cleanUp, start, tempFolder } from '../process/program.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, composer, expectAsStored, idOf, plain, say, stored, stream } from './chat.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

let rig: Rig;
let server: TestServer;

describe.skipIf(!BROWSER)('a run that is left', () => {
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
    await cleanUp();
  });

  it('goes on after a reload, from its start, without a gap and nothing twice', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, `/say Let me look.\n/tool list_directory\n/next\n${stream(120, 20)}`);
    const id = await idOf(page);
    await expect.poll(() => page.locator('.step-text').count()).toBe(2);
    const early = plain(await page.locator('.step-text').last().innerText());
    await page.reload();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    const text = page.locator('.step-text').last();
    await expect.poll(async () => plain(await text.innerText()).startsWith(early)).toBe(true);
    await expectAsStored(page, server, id);
    expect(await page.getByRole('article', { name: 'You' }).count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Call of list_directory' }).count()).toBe(1);
    open.expectClean();
    await open.context.close();
  });

  it('is the same before and after its messages are stored', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, '/reason First this.\n/say Text.\n/tool list_directory\n/next\n/say The end.');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const shown = async () =>
      plain(await page.getByRole('log').innerText()).replaceAll(/Thoughts|Thought for (a moment|[\d.]+ s)/g, 'Thought');
    const live = await shown();
    await page.reload();
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    await expect.poll(shown).toBe(live);
    open.expectClean();
    await open.context.close();
  });

  it('stays when its messages cannot be had at its end', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, stream(30, 30));
    const id = await idOf(page);
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    let refusals = 0;
    await page.route(`**/api/chat/conversations/${id}?*`, (route) => {
      refusals += 1;
      return route.fulfill({ status: 429, json: { error: 'Too many', code: 'rate_limited' } });
    });
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    await expect.poll(() => refusals).toBeGreaterThan(1);
    await answers(page).getByText('word30').waitFor();
    await page.unroute(`**/api/chat/conversations/${id}?*`);
    await expectAsStored(page, server, id);
    open.expectClean(/429/);
    await open.context.close();
  });

  it('is followed again when it was refused for a while', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, '/tool write_file {"path": "n.txt", "content": "x"}\n/next\n/say Done.');
    const id = await idOf(page);
    const allow = answers(page).getByRole('button', { name: 'Allow once' });
    await allow.waitFor();
    let refusals = 0;
    await page.route('**/api/chat/runs/*/events', (route) => {
      refusals += 1;
      return route.fulfill({ status: 401, json: { error: 'Log in', code: 'unauthenticated' } });
    });
    await page.reload();
    await expect.poll(() => refusals).toBeGreaterThan(0);
    await page.unroute('**/api/chat/runs/*/events');
    await allow.click();
    await answers(page).getByText('Done.').waitFor();
    await expectAsStored(page, server, id);
    open.expectClean(/401/);
    await open.context.close();
  });

  it('goes on when the server is killed and comes back, in a page that stays open', async () => {
    const port = await freePort();
    const folder = tempFolder();
    const workspace = join(folder, 'workspace');
    const environment = {
      PORT: `${port}`,
      PROFCLAW_HOME: join(folder, 'home'),
      PROFCLAW_WORKSPACE: workspace,
      PROFCLAW_LOG_LEVEL: 'silent',
    };
    mkdirSync(workspace);
    const first = start(environment);
    const url = await first.listening;
    const open = await rig.open(url);
    const { page } = open;
    await say(
      page,
      `/say Before.\n/tool list_directory\n/next\n${stream(100, 20)}\n/tool list_directory\n/next\n/say After.`,
    );
    const id = await idOf(page);
    await expect.poll(() => page.locator('.step-text').count()).toBe(2);
    await composer(page).fill('What I am writing');
    first.child.kill('SIGKILL');
    await page.getByText('Connection lost, trying again…').waitFor();
    await start(environment).listening;
    await answers(page).getByText('After.').waitFor();
    await expectAsStored(page, { url }, id);
    expect(await page.getByRole('article', { name: 'You' }).count()).toBe(1);
    expect(await composer(page).inputValue()).toBe('What I am writing');
    open.expectClean(
      /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET/,
    );
    await open.context.close();
  }, 90_000);
});

describe.skipIf(!BROWSER)('a message on its way', () => {
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });
  const SENDING = '**/messages/agentic';

  it('goes on after a reload, with what it replaces', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, '/say One');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const id = await idOf(page);
    for (const send of [
      () => say(page, '/say Two'),
      () => page.getByRole('button', { name: 'Answer again' }).click(),
    ]) {
      await page.route(SENDING, (route) => route.abort());
      await send();
      await page.getByText('Your message has not got through yet.').waitFor();
      await page.unroute(SENDING);
      await page.reload();
      await answers(page).getByText('Two').waitFor();
      await expectAsStored(page, server, id);
      expect(await stored(server, id)).toHaveLength(4);
    }
    open.expectClean(/ERR_FAILED|404/);
    await open.context.close();
  });

  it('can be taken back', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await page.route(SENDING, (route) => route.abort());
    await say(page, '/say One');
    await page.getByRole('button', { name: 'Take it back' }).click();
    await expect.poll(() => composer(page).inputValue()).toBe('/say One');
    await page.unroute(SENDING);
    await page.reload();
    await expect.poll(() => composer(page).inputValue()).toBe('/say One');
    await composer(page).press('Enter');
    await answers(page).getByText('One').waitFor();
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    expect(await stored(server, await idOf(page))).toHaveLength(2);
    open.expectClean(/ERR_FAILED/);
    await open.context.close();
  });

  it('is not given back while it may have arrived', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    let tries = 0;
    await page.route(SENDING, async (route) => {
      tries += 1;
      if (tries === 1) {
        await route.fetch();
        return route.abort();
      }
      if (tries > 2) return route.continue();
      return route.fulfill({ status: 429, json: { error: 'Too many requests', code: 'rate_limited' } });
    });
    await say(page, '/say Once');
    await expect.poll(() => tries).toBe(3);
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    expect(await page.getByText(/Not sent/).count()).toBe(0);
    expect(await composer(page).inputValue()).toBe('');
    expect(await stored(server, await idOf(page))).toHaveLength(2);
    open.expectClean(/ERR_FAILED|429/);
    await open.context.close();
  });

  it('is done when its run turns out to be older than another', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, '/say Zero');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    const id = await idOf(page);
    const LOOKS = '**/api/chat/runs?*';
    await page.route(LOOKS, (route) => route.abort());
    let isBack = false;
    let tries = 0;
    await page.route(SENDING, async (route) => {
      tries += 1;
      if (tries === 1) await route.fetch();
      return isBack ? route.continue() : route.abort();
    });
    await say(page, '/say Older');
    await expect.poll(() => tries).toBeGreaterThan(1);
    const newer = fetch(`${server.url}/api/chat/conversations/${id}/messages/agentic`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: stream(60, 25).replace('word1 ', 'Newer ') }),
    }).then((response) => response.text());
    await page.unroute(LOOKS);
    await answers(page).getByText('Newer').waitFor();
    isBack = true;
    await newer;
    await expectAsStored(page, server, id);
    await expect.poll(() => page.getByText('Your message has not got through yet.').count()).toBe(0);
    await say(page, '/say Next');
    await answers(page).getByText('Next', { exact: true }).waitFor();
    open.expectClean(/ERR_FAILED/);
    await open.context.close();
  });

  it('is closed where the conversation is deleted elsewhere', async () => {
    const open = await rig.open(server.url);
    const { page } = open;
    await say(page, '/say One');
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    await composer(page).fill('Kept');
    await server.call(`/api/chat/conversations/${await idOf(page)}`, undefined, { method: 'DELETE' });
    await page.getByText('This conversation was deleted.').waitFor();
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);
    expect(await composer(page).inputValue()).toBe('Kept');
    open.expectClean(/404/);
    await open.context.close();
  });
});
