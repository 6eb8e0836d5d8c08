import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Model, modelRows, priceText, windowText } from '../../web/src/settings/model-rows.ts';
import type { Provider } from '../../web/src/settings/provider-status.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';
import { ANSWER, startVendors, type Vendors } from './vendors.ts';

const KEY = 'sk-ant-right-0123456789abcdef';

function provider(type: string, more: Partial<Provider> = {}): Provider {
  const known = { configured: true, enabled: true, healthy: true, message: 'OK', latencyMs: 1, checkedAt: null };
  const set = { defaultModel: null, baseUrl: null, keyFrom: null, stored: false, settings: {} };
  return { type, name: type.toUpperCase(), ...known, ...set, ...more };
}

function model(name: string): Model {
  const [vendor = '', id = ''] = name.split('/');
  return { id, name: id, provider: vendor, contextWindow: null, costPer1MInput: null, costPer1MOutput: null };
}

describe('the models to choose from', () => {
  const all = {
    models: ['groq/a', 'groq/b', 'openai/c', 'xai/d', 'demo/demo'].map(model),
    aliases: { fast: 'groq/b', other: 'xai/d' },
  };
  const providers = [
    provider('groq', { healthy: false }),
    provider('openai'),
    provider('xai', { configured: false }),
    provider('ollama', { healthy: false }),
    provider('demo', { defaultModel: 'demo' }),
  ];
  const names = (typed: string, lists = {}): (string | null)[] =>
    modelRows(all, lists, providers, 'openai/c', typed).groups.flatMap((group) =>
      group.options.map((option) => option.value),
    );

  it('are those of the providers that are set up, the default’s first, the silent and the demo last', () => {
    expect(names('')).toEqual([null, 'openai/c', 'groq/a', 'groq/b', 'demo/demo', 'fast']);
  });

  it('are those that have every word, and the name itself', () => {
    expect(names('GROQ b')).toEqual(['groq/b', 'fast']);
    expect(names('fas')).toEqual(['fast', 'fas']);
    expect(names('xai/new-1')).toEqual(['xai/new-1']);
    expect(names('groq/b')).toEqual(['groq/b', 'fast']);
  });

  it('are a provider’s own list where it is known, its default first', () => {
    expect(names('', { openai: [model('openai/new'), model('openai/c')] }).slice(0, 3)).toEqual([
      null,
      'openai/new',
      'openai/c',
    ]);
    const [openai] = [provider('openai', { defaultModel: 'c' })];
    const rows = modelRows(all, { openai: [model('openai/new'), model('openai/c')] }, [openai], 'openai/c', '');
    expect(rows.groups[1]?.options.map(({ text }) => text)).toEqual(['c', 'new']);
  });

  it('are cut where nobody reads on, and the rest is counted', () => {
    const models = Array.from({ length: 500 }, (_, index) => model(`groq/m${index}`));
    const rows = modelRows({ models, aliases: {} }, {}, [provider('groq')], 'groq/m0', '');
    expect(rows.groups.flatMap(({ options }) => options)).toHaveLength(150);
    expect(rows.left).toBe(351);
    const narrowed = modelRows({ models, aliases: {} }, {}, [provider('groq')], 'groq/m0', 'm499');
    expect(narrowed.left).toBe(0);
    expect(narrowed.groups[0]?.options[0]?.value).toBe('groq/m499');
  });

  it('have windows and prices that can be read', () => {
    expect([null, 512, 128_000, 131_072, 1_000_000, 1_050_000].map(windowText)).toEqual([
      ...['', '512', '128k', '131k', '1M', '1.1M'],
    ]);
    expect([priceText(3, 15), priceText(0.075, 0.3), priceText(0, 0), priceText(null, 1)]).toEqual([
      ...['$3 / $15', '$0.075 / $0.3', 'free', ''],
    ]);
  });
});

describe.skipIf(!BROWSER)('the model picker', () => {
  let rig: Rig;
  let vendors: Vendors;
  let server: TestServer;
  let opened: OpenPage;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    vendors = await startVendors(KEY);
    server = await startTestServer({ ANTHROPIC_BASE_URL: `${vendors.url}/anthropic`, ANTHROPIC_API_KEY: KEY });
    await server.call('/api/chat/providers/anthropic/health', {});
    opened = await rig.open(server.url, { viewport: { width: 360, height: 640 } });
    page = opened.page;
    page.setDefaultTimeout(15_000);
    await page.getByRole('button', { name: 'Model and more' }).click();
  });
  afterEach(async () => {
    await opened.context.close();
    await server.stop();
    await vendors.stop();
  });

  const picker = () => page.getByRole('combobox', { name: 'Model' });

  it('goes away with Escape, together with what stands beside it', async () => {
    await picker().click();
    await page.getByRole('listbox', { name: 'Model' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('listbox', { name: 'Model' }).waitFor({ state: 'detached' });
    expect(await picker().isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await picker().waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.tagName')).toBe('TEXTAREA');
    opened.expectClean();
  });

  const active = async (): Promise<string> => {
    const id = await picker().getAttribute('aria-activedescendant');
    return await page.locator(`[id="${id}"]`).innerText();
  };

  it('is worked by the keyboard alone', async () => {
    await expect.poll(() => picker().inputValue()).toBe('Default (anthropic/claude-sonnet-5)');
    await picker().focus();
    await page.keyboard.press('ArrowDown');
    await page
      .getByRole('option', { name: /^claude-opus-5/ })
      .first()
      .waitFor();
    expect(await picker().getAttribute('aria-expanded')).toBe('true');
    expect(await page.getByRole('listbox').getByRole('option', { selected: true }).innerText()).toMatch(/^Default/);
    // All of it is on the screen of a phone.
    const box = await page.getByRole('listbox').boundingBox();
    expect(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= 360 && box.y + box.height <= 640).toBe(true);
    await page.keyboard.press('ArrowDown');
    expect(await active()).toMatch(/^claude-sonnet-5/);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    expect(await active()).not.toMatch(/^(Default|claude)/);
    await page.keyboard.press('Escape');
    await page.getByRole('listbox').waitFor({ state: 'detached' });
    expect(await picker().inputValue()).toBe('Default (anthropic/claude-sonnet-5)');

    await page.keyboard.press('Enter');
    await page.keyboard.type('opus');
    await expect.poll(active).toMatch(/^claude-opus-5/);
    await page.keyboard.press('Enter');
    expect(await picker().inputValue()).toBe('anthropic/claude-opus-5');
    await page.getByRole('textbox', { name: 'Message' }).fill('Hello');
    await page.keyboard.press('Enter');
    await page.getByText(ANSWER).waitFor();
    expect(vendors.asked).toContain('anthropic/claude-opus-5');
    opened.expectClean();
  });

  it('takes a name that is not in its list, and goes back to the default', async () => {
    await picker().fill('anthropic/claude-new-9');
    await page.getByRole('option', { name: /use this name/ }).click();
    expect(await picker().inputValue()).toBe('anthropic/claude-new-9');
    await picker().click();
    await page.getByRole('option', { name: /^Default/ }).click();
    expect(await picker().inputValue()).toBe('Default (anthropic/claude-sonnet-5)');
    opened.expectClean();
  });
});
