import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, say, stream } from './chat.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

const COUNT = 10_000;

let rig: Rig;
let server: TestServer;
let id: string;

describe.skipIf(!BROWSER)('a conversation of ten thousand messages', () => {
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
    const messages = Array.from({ length: COUNT }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `Message ${index + 1}.${index % 7 === 0 ? '\n\nIt has\n\nmore lines.' : ''}`,
    }));
    const { body } = await server.call('/api/chat/conversations/import', { conversation: { title: 'Long' }, messages });
    id = body.conversation.id;
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });

  it('opens at its end, loads all that is above it, and stays small', async () => {
    const open = await rig.open(`${server.url}/#/chat/${id}`);
    const { page } = open;
    await page.getByText(`Message ${COUNT}.`).waitFor();
    await expect.poll(() => page.getByText(`Message ${COUNT}.`).isVisible()).toBe(true);
    const log = page.getByRole('log');
    const first = page.getByText(/^Message 1\.\s/);
    await log.focus();
    await expect
      .poll(
        async () => {
          await page.keyboard.press('Home');
          return first.isVisible();
        },
        { interval: 50, timeout: 60_000 },
      )
      .toBe(true);
    expect(await page.getByRole('article').count()).toBeLessThan(60);
    await page.getByRole('button', { name: 'To the end' }).click();
    await page.getByText(`Message ${COUNT}.`).waitFor();
    open.expectClean();
    await open.context.close();
  }, 90_000);

  it('stays at its end while an answer grows, but not with a reader who has gone up', async () => {
    const open = await rig.open(`${server.url}/#/chat/${id}`);
    const { page } = open;
    await page.getByText(`Message ${COUNT}.`).waitFor();
    await say(page, stream(600, 5));
    const log = page.getByRole('log');
    const inLog = (script: string): Promise<number> =>
      page.evaluate(`(({ scrollHeight, clientHeight, scrollTop }) => ${script})(document.querySelector('[role=log]'))`);
    const gap = () => inLog('scrollHeight - clientHeight - scrollTop');
    await expect.poll(async () => (await answers(page).last().innerText()).length).toBeGreaterThan(1500);
    await expect.poll(gap).toBeLessThan(60);
    await log.hover();
    await page.mouse.wheel(0, -100);
    await page.getByRole('button', { name: 'To the end' }).waitFor();
    await page.mouse.wheel(0, -700);
    await expect.poll(gap).toBeGreaterThan(600);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    expect(await gap()).toBeGreaterThan(100);
    await page.getByRole('button', { name: 'To the end' }).click();
    await expect.poll(gap).toBeLessThan(60);
    open.expectClean();
    await open.context.close();
  }, 90_000);
});
