import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldsOf, shownOf } from '../../web/src/settings/provider-fields.ts';
import { patchOf } from '../../web/src/settings/provider-patch.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';
import { startVendors, type Vendors, WRONG_KEY } from './vendors.ts';

const KEY = 'sk-ant-right-0123456789abcdef';
/** The browser notes every refused request. */
const REFUSED = /status of (400|404|502)/;

describe('what a form of settings changes', () => {
  const before = {
    ...{ type: 'openai', name: 'OpenAI', configured: true, enabled: true, healthy: true, message: 'OK', latencyMs: 1 },
    ...{ checkedAt: null, defaultModel: 'gpt-5.5', baseUrl: 'https://api.openai.com/v1', keyFrom: 'stored' as const },
    ...{ stored: true, settings: { organization: 'org-1', headerNames: ['x-team'] } },
  };
  const changed = (...values: [string, string][]) => {
    const form = new FormData();
    for (const [name, value] of [...Object.entries(shownOf(before)), ...values]) form.set(name, value);
    return patchOf(fieldsOf(before), form, shownOf(before));
  };

  it('is nothing if nothing was typed', () => {
    expect(changed()).toEqual({ patch: {}, problems: {} });
  });

  it('is what was typed; what was emptied is cleared, a key that is not typed stays', () => {
    const { patch } = changed(['organization', ''], ['project', ' proj_2 '], ['baseUrl', 'https://x.example/v1']);
    expect(patch).toEqual({ organization: null, project: 'proj_2', baseUrl: 'https://x.example/v1' });
    expect(changed(['headers', '']).patch).toEqual({ headers: null });
    expect(changed(['apiKey', 'sk-new']).patch).toEqual({ apiKey: 'sk-new' });
  });

  it('needs the values of all headers, since they are not shown', () => {
    expect(changed(['headers', 'x-team: …\nx-more: 1']).problems).toEqual({ headers: expect.stringMatching(/x-team/) });
    expect(changed(['headers', 'x-team: red\n\nx-more: a: b']).patch).toEqual({
      headers: { 'x-team': 'red', 'x-more': 'a: b' },
    });
  });
});

describe.skipIf(!BROWSER)('the settings of providers', () => {
  let rig: Rig;
  let vendors: Vendors;
  let server: TestServer;
  let opened: OpenPage;
  let page: Page;
  /** All that the server has answered. */
  let answers: Promise<string>[];

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    vendors = await startVendors(KEY);
    server = await startTestServer({
      ANTHROPIC_BASE_URL: `${vendors.url}/anthropic`,
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${vendors.url}/openai`,
    });
    opened = await rig.open(`${server.url}/#/settings/providers`);
    page = opened.page;
    page.setDefaultTimeout(12_000);
    answers = [];
    page.on('response', (response) => answers.push(response.text().catch(() => '')));
    await page.getByRole('heading', { name: 'Providers' }).waitFor();
  });
  afterEach(async () => {
    await opened.context.close();
    await server.stop();
    await vendors.stop();
  });

  const row = (name: string) =>
    page
      .getByRole('group')
      .filter({ has: page.locator('summary', { hasText: new RegExp(`^${name}`) }) })
      .first();
  const openRow = async (name: string) => {
    await row(name).locator('summary').first().click();
    return row(name);
  };
  const statusOf = async (type: string) =>
    (await server.call('/api/chat/providers')).body.providers.find((one: { type: string }) => one.type === type);

  it('are tried, kept, made the default, switched off and on, and forgotten', async () => {
    const anthropic = await openRow('Anthropic');
    await anthropic.getByText('Not set up').waitFor();
    await expect(anthropic.getByRole('link', { name: /Get a key/ }).getAttribute('target')).resolves.toBe('_blank');
    await anthropic.getByLabel('API key').fill(KEY);
    await anthropic.getByRole('button', { name: 'Save and test' }).click();
    await anthropic.getByText(/^Works, \d+ ms$/).waitFor();
    await anthropic.getByText(/^Saved\. Anthropic: Works/).waitFor();
    await anthropic.getByText('A key is set').waitFor();
    await expect(anthropic.getByLabel('API key').inputValue()).resolves.toBe('');

    await anthropic.getByLabel('As the default').selectOption('claude-opus-5');
    // The first one that is set up is the default by itself.
    await anthropic.getByRole('button', { name: 'Set the model' }).click();
    await page.getByText('Requests that name no model go to anthropic/claude-opus-5').waitFor();
    await anthropic.getByText('default', { exact: true }).waitFor();

    await anthropic.getByRole('button', { name: 'Test', exact: true }).click();
    await anthropic.getByText(/It works: answered in/).waitFor();

    await anthropic.getByRole('button', { name: 'Switch off' }).click();
    await anthropic.getByText('Switched off', { exact: true }).waitFor();
    expect(await statusOf('anthropic')).toMatchObject({ enabled: false, configured: false });
    await anthropic.getByRole('button', { name: 'Switch on' }).click();
    await anthropic.getByText(/^Works, \d+ ms$/).waitFor();

    await anthropic.getByRole('button', { name: 'Forget' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
    await anthropic.getByText('Not set up').waitFor();
    expect(await statusOf('anthropic')).toMatchObject({ configured: false });
    opened.expectClean();
  });

  it('say that a key comes from the environment, and forget nothing of it', async () => {
    const openai = await openRow('OpenAI');
    await openai.getByText('A key comes from the environment').waitFor();
    await openai.getByRole('button', { name: 'Switch off' }).waitFor();
    await expect(openai.getByRole('button', { name: 'Forget' }).count()).resolves.toBe(0);
    await openai.getByText('More settings').click();
    await openai.getByLabel('Headers').fill('x-team: red');
    await openai.getByRole('button', { name: 'Save and test' }).click();
    await openai.getByText(/^Saved/).waitFor();
    await expect.poll(() => openai.getByLabel('Headers').inputValue()).toBe('x-team: …');
    await openai.getByRole('button', { name: 'Forget' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
    await expect.poll(() => openai.getByLabel('Headers').inputValue()).toBe('');
    await openai.getByText(/^Works/).waitFor();
    opened.expectClean();
  });

  it('take a key that is seen nowhere afterwards', async () => {
    const anthropic = await openRow('Anthropic');
    await anthropic.getByLabel('API key').fill(KEY);
    // While it is typed it is in its field alone, which is not a part of the document's text.
    expect(await page.content()).not.toContain(KEY);
    await anthropic.getByRole('button', { name: 'Save and test' }).click();
    await anthropic.getByText(/^Saved/).waitFor();
    await page.reload();
    await openRow('Anthropic');
    await row('Anthropic').getByText('A key is set').waitFor();
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    const values = await Promise.all((await page.locator('input').all()).map((one) => one.inputValue()));
    const seen = [await page.content(), stored, ...values, page.url(), ...(await Promise.all(answers))].join('\n');
    expect(seen).toContain('claude-opus-5');
    expect(seen).not.toContain(KEY);
    opened.expectClean();
  });

  it('say beside the key what the vendor says of it, and keep nothing', async () => {
    const anthropic = await openRow('Anthropic');
    await anthropic.getByLabel('API key').fill('sk-ant-wrong');
    await page.keyboard.press('Enter');
    await anthropic.getByText(WRONG_KEY).waitFor();
    const field = anthropic.getByLabel('API key');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await anthropic.locator('input[name=apiKey]:focus').waitFor();
    const hint = await field.getAttribute('aria-describedby');
    expect(await page.locator(`[id="${hint}"]`).innerText()).toContain(WRONG_KEY);
    // What was typed can be mended.
    expect(await field.inputValue()).toBe('sk-ant-wrong');
    expect(await statusOf('anthropic')).toMatchObject({ configured: false });
    // And saved all the same, for a vendor that cannot be reached now.
    await anthropic.getByRole('button', { name: 'Save without testing' }).click();
    await anthropic.getByText('Does not answer').waitFor();
    await anthropic.locator('summary').getByText(WRONG_KEY).waitFor();
    opened.expectClean(REFUSED);
  });

  it('say what is wrong with other fields beside them', async () => {
    const anthropic = await openRow('Anthropic');
    await anthropic.getByLabel('API key').fill(KEY);
    await anthropic.getByText('More settings').click();
    await anthropic.getByLabel('Headers').fill('no colon');
    await anthropic.getByLabel('Base URL').fill('https://user:word@example.com');
    await anthropic.getByRole('button', { name: 'Save and test' }).click();
    await anthropic.getByText('has no colon').waitFor();
    await anthropic.getByLabel('Headers').fill('host: other.example');
    await anthropic.getByRole('button', { name: 'Save and test' }).click();
    await anthropic.getByText('must not hold a name or password').waitFor();
    await anthropic.getByText('is set by the server itself').waitFor();
    opened.expectClean(REFUSED);
  });

  it('include one of one’s own, which can be the default', async () => {
    await page.getByRole('button', { name: 'Add a provider' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Short name').fill('acme');
    await dialog.getByLabel('Base URL').fill(`${vendors.url}/openai`);
    await dialog.getByLabel('API key').fill(KEY);
    await dialog.getByText('More settings').click();
    await dialog.getByLabel('Name', { exact: true }).fill('Acme AI');
    await dialog.getByRole('button', { name: 'Save and test' }).click();
    await dialog.waitFor({ state: 'detached' });
    const acme = await openRow('Acme AI');
    await acme.getByText(/^Works, \d+ ms$/).waitFor();
    await acme.getByLabel('As the default').selectOption('gpt-5.5-mini');
    await acme.getByRole('button', { name: /default|model/ }).click();
    await page.getByText('go to custom:acme/gpt-5.5-mini').waitFor();
    opened.expectClean();
  });
});

describe.skipIf(!BROWSER)('the settings', () => {
  let rig: Rig;
  let server: TestServer;

  beforeAll(async () => {
    rig = await startRig();
    server = await startTestServer();
  });
  afterAll(async () => {
    await rig.stop();
    await server.stop();
  });

  /** Makes an account, and gives its cookie. */
  const signUp = async (name: string, invite: object = {}): Promise<string> => {
    const account = { email: `${name}@example.com`, password: 'a long password', name, ...invite };
    const { status, headers } = await server.call('/api/auth/signup', account);
    expect(status).toBe(201);
    return headers.get('set-cookie')?.split(';')[0] ?? '';
  };

  it('show a member what is a member’s: the providers to look at, and no users', async () => {
    const owner = await signUp('owner');
    const invited = await server.call('/api/invites', undefined, {
      method: 'POST',
      headers: { cookie: owner, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'member@example.com' }),
    });
    const member = await signUp('member', { inviteCode: invited.body.code });
    const sections = async (cookie: string, path: string) => {
      const opened = await rig.open(`${server.url}/#/settings${path}`, { extraHTTPHeaders: { cookie } });
      const nav = opened.page.getByRole('navigation', { name: 'Settings' });
      await nav.getByRole('link', { name: 'Account' }).waitFor();
      return { opened, names: await nav.getByRole('link').allInnerTexts() };
    };
    const asOwner = await sections(owner, '');
    expect(asOwner.names).toEqual(['Providers', 'Rules', 'Tool servers', 'API keys', 'Sessions', 'Account', 'Users']);
    await asOwner.opened.page.getByRole('button', { name: 'Add a provider' }).waitFor();
    asOwner.opened.expectClean();
    await asOwner.opened.context.close();

    const asMember = await sections(member, '');
    expect(asMember.names).toEqual(['Providers', 'Rules', 'API keys', 'Sessions', 'Account']);
    await asMember.opened.page.locator('summary', { hasText: 'Anthropic' }).click();
    await asMember.opened.page.getByText('takes an admin').waitFor();
    await expect(asMember.opened.page.getByLabel('API key').count()).resolves.toBe(0);
    await expect(asMember.opened.page.getByRole('button', { name: 'Add a provider' }).count()).resolves.toBe(0);
    asMember.opened.expectClean();
    await asMember.opened.context.close();

    const users = await sections(member, '/users');
    await users.opened.page.getByText('not yours to see').waitFor();
    users.opened.expectClean();
    await users.opened.context.close();
  });
});
