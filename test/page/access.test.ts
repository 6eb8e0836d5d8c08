import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Visitor } from '../access/visitor.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

const PASSWORD = 'a long password';
/** The browser notes every refused request. */
const REFUSED = /status of (400|401|403|409)/;

describe.skipIf(!BROWSER)('who may come in', () => {
  let rig: Rig;
  let server: TestServer;
  let windows: OpenPage[];

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    server = await startTestServer();
    windows = [];
  });
  afterEach(async () => {
    for (const { context, expectClean } of windows) {
      expectClean(REFUSED);
      await context.close();
    }
    await server.stop();
  });

  /** Opens a section in a window of its own, logged in with a visitor's cookie if there is one. */
  const open = async (section: string, visitor?: Visitor): Promise<Page> => {
    const cookies = [{ name: 'profclaw_session', value: visitor?.cookie ?? '', domain: '127.0.0.1', path: '/' }].map(
      (cookie) => ({ ...cookie, expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' as const }),
    );
    const state = visitor ? { storageState: { cookies, origins: [] } } : {};
    const opened = await rig.open(`${server.url}/#/settings/${section}`, state);
    windows.push(opened);
    opened.page.setDefaultTimeout(15_000);
    return opened.page;
  };
  /** The first account, by the API. */
  const owner = async (): Promise<Visitor> => {
    const visitor = new Visitor(server.url);
    await visitor.must('POST', '/api/auth/signup', { email: 'ada@example.com', password: PASSWORD, name: 'Ada' });
    return visitor;
  };
  const item = (page: Page, list: string, text: string) =>
    page.getByRole('list', { name: list }).getByRole('listitem').filter({ hasText: text });
  const asKey = (secret: string) =>
    fetch(`${server.url}/api/chat/conversations`, { headers: { authorization: `Bearer ${secret}` } });

  it('a key is made, shown once, works, and is refused when it is revoked', async () => {
    const page = await open('keys');
    await page.getByText('There is none yet.').waitFor();
    await page.getByRole('button', { name: 'Make a key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make an API key' });
    await dialog.getByRole('checkbox', { name: /^chat/ }).uncheck();
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await dialog.getByText('must name a scope at least').waitFor();
    await dialog.getByLabel('Name').fill('backup');
    // What somebody has typed is not thrown away by a click beside it.
    await page.mouse.click(5, 5);
    await dialog.getByRole('checkbox', { name: /^conversations:read/ }).check();
    await dialog.getByLabel('Expires after days').fill('30');
    await dialog.getByLabel('Tokens').fill('5000');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const secret = await page.getByRole('region', { name: 'API key', exact: true }).innerText();
    expect(secret).toMatch(/^profclaw_[\w-]{43}$/);
    expect((await asKey(secret)).status).toBe(200);
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.content()).not.toContain(secret);
    const key = item(page, 'API keys', 'backup');
    await key.getByText('conversations:read').waitFor();
    await key.getByText('0 of 5,000 tokens a month').waitFor();
    await key.getByText(/^expires /).waitFor();
    await page.reload();
    await key.getByText(/^last used /).waitFor();
    await expect(page.content()).resolves.not.toContain(secret);

    await key.getByRole('button', { name: 'Revoke backup' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('There is none yet.').waitFor();
    expect((await asKey(secret)).status).toBe(401);
  });

  it('a session elsewhere is ended, and all others at once; this one stays', async () => {
    const here = await owner();
    const elsewhere = [0, 1, 2].map(() => new Visitor(server.url, { 'user-agent': 'another program' }));
    for (const one of elsewhere)
      await one.must('POST', '/api/auth/login', { email: 'ada@example.com', password: PASSWORD });
    const page = await open('sessions', here);
    const others = item(page, 'Sessions', 'another program');
    await expect.poll(() => others.count()).toBe(3);
    await page.getByText('this one').waitFor();
    await others.first().getByRole('button', { name: /^End/ }).click();
    await expect.poll(() => others.count()).toBe(2);
    const statuses = () => Promise.all(elsewhere.map(async (one) => (await one.get('/api/auth/me')).status));
    expect((await statuses()).toSorted()).toEqual([200, 200, 401]);
    await page.getByRole('button', { name: 'End all others' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End them' }).click();
    await expect.poll(() => others.count()).toBe(0);
    expect(await statuses()).toEqual([401, 401, 401]);
    expect((await here.get('/api/auth/me')).status).toBe(200);
  });

  it('the first account is made here, after saying what that changes; name and password are changed', async () => {
    const page = await open('account');
    await page.getByText(/From then on everybody needs a credential/).waitFor();
    const form = page.getByRole('form', { name: 'Make the first account' });
    await form.getByLabel('Name').fill('Ada');
    await form.getByLabel('Email').fill('ada@example.com');
    await form.getByLabel('Password').fill('short');
    await form.getByRole('button', { name: 'Make the account' }).click();
    await form.getByText('must have 8 characters or more').waitFor();
    await form.getByLabel('Password').fill(PASSWORD);
    await form.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('(ada@example.com), the owner').waitFor();
    expect((await server.call('/api/auth/me')).status).toBe(401);

    const profile = page.getByRole('form', { name: 'Name and email' });
    await profile.getByLabel('Name').fill('Ada L.');
    await profile.getByRole('button', { name: 'Save' }).click();
    await page.getByText('You are Ada L. (ada@example.com)').waitFor();
    const change = page.getByRole('form', { name: 'Password' });
    await change.getByLabel('Current password').fill('not this one');
    await change.getByLabel('New password').fill('another password');
    await change.getByRole('button', { name: 'Change the password' }).click();
    await change.getByRole('alert').waitFor();
    await change.getByLabel('Current password').fill(PASSWORD);
    await change.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed').waitFor();
    const visitor = new Visitor(server.url);
    await visitor.must('POST', '/api/auth/login', { email: 'ada@example.com', password: 'another password' });
    await page.reload();
    await page.getByText('You are Ada L.').waitFor();
  });

  it('the access key is set and taken away', async () => {
    const page = await open('account');
    await page.getByRole('button', { name: 'Make one up' }).click();
    const key = await page.getByRole('textbox', { name: 'Access key' }).inputValue();
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    await page.getByRole('button', { name: 'Set the access key' }).click();
    await page.getByText('There is one now.').waitFor();
    expect((await server.call('/api/auth/me')).status).toBe(401);
    const visitor = new Visitor(server.url);
    await visitor.must('POST', '/api/auth/verify-access-key', { key });
    await expect(page.getByLabel('New access key').inputValue()).resolves.toBe('');
    await page.getByRole('button', { name: 'Take the access key away' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it away' }).click();
    await page.getByText('There is none now.').waitFor();
    expect((await server.call('/api/auth/me')).body.via).toBe('local');
  });

  it('a link that is shown once stays when the second click of two falls beside it', async () => {
    const page = await open('users', await owner());
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('button', { name: 'Make the invite' }).click();
    const link = page.getByRole('region', { name: 'invite link' });
    await link.waitFor();
    await page.mouse.click(5, 5);
    await page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))');
    expect(await link.isVisible()).toBe(true);
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  });

  it('somebody is invited, signs up elsewhere, gets a role and a budget, and is deleted', async () => {
    const page = await open('users', await owner());
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = page.getByRole('dialog', { name: 'Invite somebody' });
    await dialog.getByLabel('Email').fill('mia@example.com');
    await dialog.getByRole('button', { name: 'Make the invite' }).click();
    const link = await page.getByRole('region', { name: 'invite link' }).innerText();
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
    await page.getByText('mia@example.com, as member').waitFor();

    const other = await rig.open(link);
    windows.push(other);
    other.page.setDefaultTimeout(15_000);
    await other.page.getByLabel('Name').fill('Mia');
    await other.page.getByLabel('Email').fill('mia@example.com');
    await other.page.getByLabel('Password').fill(PASSWORD);
    await other.page.keyboard.press('Enter');
    const usersOf = async (): Promise<Json> =>
      other.page.evaluate(() => fetch('/api/users').then((answer) => answer.status));
    await expect.poll(usersOf).toBe(403);

    await page.reload();
    const mia = item(page, 'Accounts', 'mia@example.com');
    await mia.getByRole('combobox', { name: 'Role of Mia' }).selectOption('admin');
    await expect.poll(usersOf).toBe(200);
    await mia.getByRole('button', { name: 'Limits and budget of Mia' }).click();
    const limits = page.getByRole('dialog', { name: 'Limits and budget of Mia' });
    await limits.getByLabel('US dollars').fill('5');
    await limits.getByLabel('Requests a minute').fill('30');
    await limits.getByRole('button', { name: 'Save' }).click();
    await mia.getByText('30 requests a minute').waitFor();
    const budget = () =>
      other.page.evaluate(() => fetch('/api/auth/me').then(async (answer) => (await answer.json()).budget?.usd));
    expect(await budget()).toBe(5);
    await mia.getByRole('button', { name: 'Disable Mia' }).click();
    await mia.getByText('disabled', { exact: true }).waitFor();
    await expect.poll(usersOf).toBe(401);

    await mia.getByRole('button', { name: 'Delete Mia' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await expect.poll(() => mia.count()).toBe(0);
    await page.getByText('Audit log').click();
    const rows = page.getByRole('row', { name: /Ada.*user\.delete/ });
    await rows.first().waitFor();
    await page.getByLabel('Show', { exact: true }).selectOption('invite.create');
    await page.getByRole('row', { name: /Ada.*invite\.create/ }).waitFor();
    await expect.poll(() => rows.count()).toBe(0);
  });

  it('members see neither users nor servers of tools', async () => {
    const ada = await owner();
    const { code } = await ada.must('POST', '/api/invites', {});
    const mia = new Visitor(server.url);
    const account = { email: 'mia@example.com', password: PASSWORD, name: 'Mia', inviteCode: code };
    await mia.must('POST', '/api/auth/signup', account);
    const page = await open('keys', mia);
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByRole('checkbox', { name: /^tools/ }).waitFor();
    await expect(page.getByRole('checkbox', { name: /^admin/ }).count()).resolves.toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('You are Mia (mia@example.com), a member.').waitFor();
    for (const name of ['Users', 'Tool servers'])
      await expect(page.getByRole('link', { name, exact: true }).count()).resolves.toBe(0);
    await expect(page.getByText('Access key').count()).resolves.toBe(0);
  });
});
