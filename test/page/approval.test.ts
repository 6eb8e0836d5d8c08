import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, composer, idOf, say, stored, stream } from './chat.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

let rig: Rig;
let server: TestServer;
let open: OpenPage;

/** Orders to write files and then to say that it is done. */
const write = (...names: string[]): string =>
  `${names.map((path) => `/tool write_file ${JSON.stringify({ path, content: 'Seen.' })}`).join('\n')}\n/next\n/say Done`;
const file = (name: string): string => join(server.home, 'workspace', name);

describe.skipIf(!BROWSER)('a call that needs a yes', () => {
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

  it('says what it wants, and is allowed', async () => {
    const { page } = open;
    await say(page, write('allowed.txt'));
    const card = page.getByRole('group', { name: 'May write_file be called?' });
    await card.getByText('path: "allowed.txt"').waitFor();
    await card.getByText(/Without an answer it is refused in 24 hours/).waitFor();
    expect(existsSync(file('allowed.txt'))).toBe(false);
    await card.getByRole('button', { name: 'Allow once' }).click();
    await answers(page).getByText('Done', { exact: true }).waitFor();
    await page.getByRole('button', { name: /write_file.*allowed.txt.*done/ }).waitFor();
    expect(readFileSync(file('allowed.txt'), 'utf8')).toBe('Seen.');
    open.expectClean();
  });

  it('has the focus when nobody types, and is allowed with Ctrl+Enter', async () => {
    const { page } = open;
    await say(page, write('keyboard.txt'));
    const card = page.getByRole('group', { name: 'May write_file be called?' });
    await card.waitFor();
    const focused = 'document.activeElement.getAttribute("aria-label")';
    await expect.poll(() => page.evaluate(focused)).toBe('May write_file be called?');
    await page.keyboard.press('Control+Enter');
    await answers(page).getByText('Done', { exact: true }).waitFor();
    expect(existsSync(file('keyboard.txt'))).toBe(true);
    open.expectClean();
  });

  it('says once how harmful it is, and its forms are left with Escape', async () => {
    const { page } = open;
    await say(page, write('escape.txt'));
    const card = page.getByRole('group', { name: 'May write_file be called?' });
    await card.getByRole('button', { name: 'Edit…' }).click();
    await card.getByLabel('Arguments').press('Escape');
    await card.getByRole('button', { name: 'Allow once' }).waitFor();
    expect((await card.innerText()).match(/moderate/g)).toHaveLength(1);
    await page.keyboard.press('Tab');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Allow once');
    await page.keyboard.press('Enter');
    await answers(page).getByText('Done', { exact: true }).waitFor();
    // Whoever goes on by keyboard is where they were.
    expect(await page.evaluate('document.activeElement.className')).toBe('call-head');
    open.expectClean();
  });

  it('keeps what is being written in it while it is scrolled away', async () => {
    const { page } = open;
    await say(page, `/say ${'A long line. '.repeat(1500)}`);
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    await say(page, write('away.txt'));
    await page.getByRole('button', { name: 'Deny…' }).click();
    await page.getByLabel('Reason').fill('Half a sen');
    await page.getByRole('log').press('Home');
    await page.getByRole('log').getByText('/say A long').waitFor();
    await page.getByRole('button', { name: 'To the end' }).click();
    await page.getByLabel('Reason').waitFor();
    expect(await page.getByLabel('Reason').inputValue()).toBe('Half a sen');
    open.expectClean();
  });

  it('leaves the focus to who is typing', async () => {
    const { page } = open;
    await say(page, `${stream(40, 25)}\n${write('typing.txt')}`);
    await page.locator('.step-text').waitFor();
    await composer(page).fill('I am in the middle of');
    await page.getByRole('button', { name: 'Allow once' }).waitFor();
    await page.keyboard.type(' a sentence');
    expect(await composer(page).inputValue()).toBe('I am in the middle of a sentence');
    open.expectClean();
  });

  it('is denied, with a reason that the model reads', async () => {
    const { page } = open;
    await say(page, write('denied.txt'));
    await page.getByRole('button', { name: 'Deny…' }).click();
    await page.getByLabel('Reason').fill('Not today');
    await page.getByRole('button', { name: 'Deny', exact: true }).click();
    await answers(page).getByText('Done', { exact: true }).waitFor();
    await page.getByRole('button', { name: /write_file.*not allowed/ }).click();
    await page.getByText('They say: Not today').waitFor();
    expect(existsSync(file('denied.txt'))).toBe(false);
    open.expectClean();
  });

  it('is changed before it is allowed', async () => {
    const { page } = open;
    await say(page, write('before.txt'));
    await page.getByRole('button', { name: 'Edit…' }).click();
    const field = page.getByLabel('Arguments');
    await field.fill('{"path": ');
    await page.getByText(/This is no JSON/).waitFor();
    expect(await page.getByRole('button', { name: 'Allow as changed' }).isDisabled()).toBe(true);
    await field.fill('{"path": "after.txt", "content": "Changed."}');
    await page.getByRole('button', { name: 'Allow as changed' }).click();
    await answers(page).getByText('Done', { exact: true }).waitFor();
    expect(readFileSync(file('after.txt'), 'utf8')).toBe('Changed.');
    expect(existsSync(file('before.txt'))).toBe(false);
    open.expectClean();
  });

  it('is allowed for good, for exactly these arguments', async () => {
    const { page } = open;
    await say(page, write('always.txt'));
    await page.getByRole('button', { name: 'Allow always…' }).click();
    await page.getByText(/with exactly these arguments/).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.type')).toBe('radio');
    await page.getByRole('button', { name: 'Allow always', exact: true }).click();
    await answers(page).getByText('Done', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    await say(page, write('always.txt'));
    await expect.poll(() => answers(page).getByText('Done', { exact: true }).count()).toBe(2);
    await say(page, write('other.txt'));
    await page.getByRole('button', { name: 'Allow once' }).waitFor();
    const { body } = await server.call('/api/chat/tools/rules');
    expect(body.rules).toMatchObject([{ tool: 'write_file', scope: 'conversation', conversationId: await idOf(page) }]);
    open.expectClean();
  });

  it('is one of several, each answered for itself, one of them elsewhere', async () => {
    const { page } = open;
    await say(page, write('a.txt', 'b.txt', 'c.txt'));
    await page.getByText('3 calls wait for your answer.').waitFor();
    const { body } = await server.call('/api/chat/approvals?status=pending&limit=3');
    const b = body.approvals.find(({ params }: { params: { path: string } }) => params.path === 'b.txt');
    // The page must not hear of it before it asks itself.
    await page.route('**/api/chat/tools/approve', async (route) => {
      const { approvalId } = JSON.parse(route.request().postData() ?? '{}');
      if (approvalId === b.id) {
        const answer = { conversationId: b.conversationId, approvalId, decision: 'deny', wait: 0 };
        await server.call('/api/chat/tools/approve', answer);
      }
      await route.continue();
    });
    const card = (name: string) => page.getByRole('group').filter({ hasText: `path: "${name}"` });
    await card('b.txt').getByRole('button', { name: 'Allow once' }).click();
    await page.getByText('2 calls wait for your answer.').waitFor();
    await card('a.txt').getByRole('button', { name: 'Allow once' }).click();
    await card('c.txt').getByRole('button', { name: 'Allow once' }).click();
    await answers(page).getByText('Done', { exact: true }).waitFor();
    expect(['a.txt', 'b.txt', 'c.txt'].map((name) => existsSync(file(name)))).toEqual([true, false, true]);
    open.expectClean(/409/);
  });

  it('is a new one when the same call is asked about again', async () => {
    const { page } = open;
    await say(page, write('twice.txt'));
    await page.getByRole('button', { name: 'Allow once' }).waitFor();
    const id = await idOf(page);
    const [first] = (await server.call(`/api/chat/approvals?conversationId=${id}`)).body.approvals;
    const second = { ...first, id: `${first.id}b`, reason: 'Nobody knows whether it was carried out.' };
    let isAnswered = false;
    await page.route('**/api/chat/tools/approve', async (route) => {
      isAnswered = true;
      await route.fulfill({ json: {} });
    });
    const told = [
      ['user_message', { id: 'msg_x', content: 'Go' }],
      ['step:start', { step: 1, maxSteps: 5, usedBudget: 0, maxBudget: null }],
      ['tool:call', { toolCallId: first.toolCallId, name: 'write_file', arguments: first.params, step: 1 }],
      ['approval:required', first],
      ['approval:resolved', { id: first.id, decision: 'allow-once', by: 'local' }],
      ['approval:required', second],
    ].map(([type, data], at) => `id: ${at + 1}\ndata: ${JSON.stringify({ type, data, timestamp: 0 })}\n\n`);
    // Both come at once, as after a server that has died.
    await page.route('**/api/chat/runs/*/events*', (route) => {
      const body = isAnswered ? told.slice(4).join('') : told.slice(0, 4).join('');
      return route.fulfill({ contentType: 'text/event-stream', body });
    });
    await page.reload();
    await page.getByRole('button', { name: 'Allow once' }).click();
    await page.getByText('Nobody knows whether it was carried out.').waitFor();
    expect(await page.getByRole('button', { name: 'Allow once' }).isEnabled()).toBe(true);
    open.expectClean();
  });

  it('is not asked about in the other modes, and the mode is kept', async () => {
    const { page } = open;
    await page.getByLabel('What tools may do').selectOption('Do all');
    await say(page, write('full.txt'));
    await answers(page).getByText('Done', { exact: true }).waitFor();
    expect(existsSync(file('full.txt'))).toBe(true);
    await page.reload();
    await expect.poll(() => page.getByLabel('What tools may do').inputValue()).toBe('full');
    await page.getByLabel('What tools may do').selectOption('Chat only');
    await say(page, '/say Just talk');
    await answers(page).getByText('Just talk').waitFor();
    await page.getByRole('button', { name: 'Answer again' }).waitFor();
    expect(await stored(server, await idOf(page))).toHaveLength(5);
    const { body } = await server.call('/api/chat/runs?limit=1');
    expect(body.runs[0].securityMode).toBe('deny');
    open.expectClean();
  });
});
