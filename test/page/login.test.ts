import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { accessibilityProblems } from './accessibility.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

const KEY = 'an access key of some length';
const OWNER = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' };
/** What a browser writes to the console where the server refuses. */
const REFUSALS = /status of (401|403|429)/;

describe.skipIf(!BROWSER)('the way in', () => {
  let rig: Rig;
  let server: TestServer;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterEach(() => server?.stop());
  afterAll(() => rig?.stop());

  /** Makes the first account, which locks the server. @returns its session's cookie */
  const withAccount = async (): Promise<string> => {
    server = await startTestServer();
    const { headers } = await server.call('/api/auth/signup', OWNER);
    return headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  const logIn = async ({ page }: OpenPage, password = OWNER.password): Promise<void> => {
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };

  test('a wrong password is refused, the right one opens the page, and logging out closes it', async () => {
    await withAccount();
    const open = await rig.open(server.url);
    const { page, context } = open;
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await page.getByLabel('Access key').count()).toBe(0);
    expect(await accessibilityProblems(page)).toEqual([]);
    await logIn(open, 'wrong horse');
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe(OWNER.email);
    await logIn(open);
    await page.getByRole('link', { name: 'New chat' }).first().waitFor();
    const [cookie] = await context.cookies();
    await page.getByRole('button', { name: 'Account: Ada' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    expect(await page.getByRole('link', { name: 'New chat' }).count()).toBe(0);
    const me = await server.call('/api/auth/me', undefined, {
      headers: { cookie: `profclaw_session=${cookie?.value}` },
    });
    expect(me.status).toBe(401);
    open.expectClean(REFUSALS);
  });

  test('what was written is nobody else’s, and gone from the browser when one logs out', async () => {
    const cookie = await withAccount();
    const headers = { cookie, 'content-type': 'application/json' };
    const { body } = await server.call('/api/invites', {}, { headers });
    const mia = { email: 'mia@example.com', password: 'a long password', name: 'Mia', inviteCode: body.code };
    const signed = await server.call('/api/auth/signup', mia);
    const open = await rig.open(server.url);
    const { page, context } = open;
    await logIn(open);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('Ada’s secret');
    await page.getByLabel('What tools may do').selectOption({ label: 'Do all' });
    const [name, value] = (signed.headers.get('set-cookie')?.split(';')[0] ?? '').split('=');
    const [session] = await context.cookies();
    await context.addCookies([{ name: `${name}`, value: `${value}`, url: server.url }]);
    await page.reload();
    await page.getByRole('button', { name: 'Account: Mia' }).waitFor();
    expect(await field.inputValue()).toBe('');
    expect(await page.getByLabel('What tools may do').inputValue()).toBe('ask');
    await context.addCookies([{ name: `${name}`, value: `${session?.value}`, url: server.url }]);
    await page.reload();
    await expect.poll(() => field.inputValue()).toBe('Ada’s secret');
    await page.getByRole('button', { name: 'Account: Ada' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toMatch(/secret|mode/);
    open.expectClean(REFUSALS);
  });

  test('the access key opens the page; a wrong one says so', async () => {
    server = await startTestServer({ PROFCLAW_ACCESS_KEY: KEY });
    const { page, expectClean } = await rig.open(server.url);
    const field = page.getByLabel('Access key');
    await field.fill('another key of some length');
    await field.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Email').count()).toBe(0);
    await field.fill(KEY);
    await field.press('Enter');
    await page.getByRole('button', { name: 'Account: Access key' }).waitFor();
    expectClean(REFUSALS);
  });

  test('who has tried too often is told when to come again', async () => {
    await withAccount();
    const open = await rig.open(server.url);
    const { page } = open;
    const error = { error: 'Too many wrong tries', code: 'rate_limited', requestId: 'req_1', details: {} };
    await page.route('**/api/auth/login', (route) =>
      route.fulfill({ status: 429, headers: { 'retry-after': '30' }, json: error }),
    );
    await page.getByLabel('Email').waitFor();
    await page.clock.install();
    await logIn(open);
    await page.getByText(/Too many wrong tries You can try again in \d+ s\./).waitFor();
    expect(await page.getByRole('button', { name: 'Log in' }).isDisabled()).toBe(true);
    await expect
      .poll(
        async () => {
          await page.clock.fastForward(1000);
          return await page.getByText('You can try again now.').count();
        },
        { interval: 1, timeout: 10_000 },
      )
      .toBe(1);
    await page.unroute('**/api/auth/login');
    await logIn(open);
    await page.getByRole('button', { name: 'Account: Ada' }).waitFor();
    open.expectClean(REFUSALS);
  });

  test('who logs in in another window is seen in the first one, too', async () => {
    const cookie = await withAccount();
    const headers = { cookie, 'content-type': 'application/json' };
    const { body } = await server.call('/api/invites', {}, { headers });
    const mia = { email: 'mia@example.com', password: 'a long password', name: 'Mia', inviteCode: body.code };
    await server.call('/api/auth/signup', mia);
    const open = await rig.open(server.url);
    await logIn(open);
    await open.page.getByRole('button', { name: 'Account: Ada' }).waitFor();
    const second = await open.context.newPage();
    await second.goto(server.url);
    await second.getByRole('button', { name: 'Account: Ada' }).click();
    await second.getByRole('menuitem', { name: 'Log out' }).click();
    await open.page.getByRole('dialog', { name: 'Log in again' }).waitFor();
    await second.getByLabel('Email').fill(mia.email);
    await second.getByLabel('Password').fill(mia.password);
    await second.getByRole('button', { name: 'Log in' }).click();
    await open.page.getByRole('button', { name: 'Account: Mia' }).waitFor();
    open.expectClean(REFUSALS);
  });

  test('a session that has ended is noticed by the first message of a new chat', async () => {
    const cookie = await withAccount();
    const open = await rig.open(server.url);
    const { page } = open;
    await logIn(open);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('Still here');
    await server.call('/api/auth/sessions', undefined, { method: 'DELETE', headers: { cookie } });
    await field.press('Enter');
    await page.getByRole('dialog', { name: 'Log in again' }).waitFor();
    await logIn(open);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => field.inputValue()).toBe('Still here');
    open.expectClean(REFUSALS);
  });

  test('a session that ends meanwhile asks to log in again, over a page that stays as it is', async () => {
    const cookie = await withAccount();
    const open = await rig.open(server.url);
    const { page } = open;
    await logIn(open);
    const search = page.getByLabel('Search conversations');
    await search.fill('boats');
    await page.getByText('Nothing found for “boats”.').waitFor();
    await server.call('/api/auth/sessions', undefined, { method: 'DELETE', headers: { cookie } });
    await search.fill('boats and trains');
    const dialog = page.getByRole('dialog', { name: 'Log in again' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(true);
    await logIn(open);
    await dialog.waitFor({ state: 'detached' });
    expect(await search.inputValue()).toBe('boats and trains');
    await page.getByText('Nothing found for “boats and trains”.').waitFor();
    open.expectClean(REFUSALS);
  });

  test('an invite’s link leads to an account, with what is wrong beside its field', async () => {
    const cookie = await withAccount();
    const headers = { cookie, 'content-type': 'application/json' };
    const { body } = await server.call('/api/invites', {}, { headers });
    const { page, expectClean } = await rig.open(`${server.url}/#/signup?invite=${body.code}`);
    expect(await page.getByLabel('Invite code').inputValue()).toBe(body.code);
    await page.getByLabel('Name').fill('Mia');
    await page.getByLabel('Email').fill('mia@nowhere');
    await page.getByLabel('Password').fill('a long password');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('must be an email address').waitFor();
    await page.getByLabel('Email').fill('mia@example.com');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByRole('button', { name: 'Account: Mia' }).waitFor();
    await expect.poll(() => page.url()).toMatch(/#\/$/);
    expectClean(/status of (400|401)/);
  });

  test('the first account is made on this machine', async () => {
    server = await startTestServer();
    const { page, expectClean } = await rig.open(`${server.url}/#/signup`);
    await page.getByText('The first account is the owner’s.').waitFor();
    expect(await page.getByLabel('Invite code').count()).toBe(0);
    await page.getByLabel('Name').fill(OWNER.name);
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password').fill(OWNER.password);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByRole('button', { name: 'Account: Ada' }).waitFor();
    expect((await server.call('/api/auth/me')).status).toBe(401);
    expectClean();
  });

  test('a server that cannot be reached is said, and the page comes as soon as it can', async () => {
    server = await startTestServer();
    const { page, expectClean } = await rig.open(server.url);
    let tries = 0;
    await page.route('**/api/**', (route) => {
      tries += 1;
      return route.abort();
    });
    await page.reload();
    await page.getByText('The server cannot be reached.').waitFor();
    tries = 0;
    await expect.poll(() => tries, { timeout: 15_000 }).toBeGreaterThan(1);
    await page.unroute('**/api/**');
    await page.getByRole('link', { name: 'New chat' }).first().waitFor();
    expectClean(/ERR_FAILED/);
  });
});
