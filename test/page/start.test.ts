import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../web/src/settings/provider-status.ts';
import { isFirstStart } from '../../web/src/start/is-first-start.ts';
import { keyVendors } from '../../web/src/start/key-vendor.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';
import { ANSWER, startVendors, type Vendors, WRONG_KEY } from './vendors.ts';

const KEY = 'sk-ant-right-0123456789abcdef';

describe('whose key it is', () => {
  it.each([
    ['sk-ant-api03-x', ['anthropic']],
    ['sk-or-v1-x', ['openrouter']],
    ['sk-proj-x', ['openai']],
    ['sk-0123456789', ['openai', 'deepseek']],
    ['gsk_x', ['groq']],
    ['xai-x', ['xai']],
    ['AIzaSyx', ['google']],
    ['pplx-x', ['perplexity']],
    ['csk-x', ['cerebras']],
    ['fw_x', ['fireworks']],
    [' tgp_v1_x\n', ['together']],
    ['0123456789', []],
    ['', []],
  ])('is seen at the beginning of %j', (key, vendors) => {
    expect(keyVendors(key)).toEqual(vendors);
  });
});

describe('whether it is the first start', () => {
  const one = (type: string, more: Partial<Provider> = {}): Provider => ({
    ...{ type, name: type, configured: true, enabled: true, healthy: true, message: '', latencyMs: 1, checkedAt: null },
    ...{ defaultModel: null, baseUrl: null, keyFrom: null, stored: false, settings: {}, ...more },
  });
  const ollama = one('ollama');
  const none = one('anthropic', { configured: false, healthy: null });

  it.each([
    ['only the demo is there', 'demo', 'demo', [none, one('ollama', { healthy: false })], true],
    ['an Ollama was found, but no model of it chosen', 'ollama', null, [none, ollama], true],
    ['a model of Ollama was chosen', 'ollama', 'qwen3', [none, ollama], false],
    ['a vendor is set up', 'anthropic', 'claude', [one('anthropic'), ollama], false],
    ['the demo was made the default beside a vendor', 'demo', 'demo', [one('anthropic')], false],
    ['the vendor that is the default does not answer', 'xai', 'grok', [one('xai', { healthy: false })], false],
  ])('if %s', (_, type, defaultModel, providers, is) => {
    expect(isFirstStart({ default: type, defaultModel, providers: [...providers, one('demo')] })).toBe(is);
  });

  it('is not said before anything is known', () => {
    expect(isFirstStart(undefined)).toBe(false);
  });
});

describe.skipIf(!BROWSER)('the first start', () => {
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
    vendors.isOllamaRunning = false;
    server = await startTestServer({
      ANTHROPIC_BASE_URL: `${vendors.url}/anthropic`,
      DEEPSEEK_BASE_URL: `${vendors.url}/openai`,
      OLLAMA_BASE_URL: `${vendors.url}/ollama`,
    });
  });
  afterEach(async () => {
    await opened.context.close();
    await server.stop();
    await vendors.stop();
  });

  const start = async (): Promise<void> => {
    opened = await rig.open(server.url);
    page = opened.page;
    page.setDefaultTimeout(15_000);
  };
  const composer = () => page.getByRole('textbox', { name: 'Message' });
  const send = async (text: string): Promise<void> => {
    await composer().fill(text);
    await composer().press('Enter');
  };

  it('leads to an answer of the demo without anything', async () => {
    await start();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor();
    await page.getByText('scripted demo').waitFor();
    await page.getByRole('button', { name: 'Thinking before the answer' }).click();
    expect(await composer().inputValue()).toMatch(/^\/reason .*\n\/say /);
    await page.locator('textarea:focus').waitFor();
    await composer().press('Enter');
    await page.getByText('That was the thinking, and this is the answer.').last().waitFor();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor({ state: 'detached' });
    opened.expectClean();
  });

  it('takes a key, knows whose it is, and leads to an answer of that vendor', async () => {
    await start();
    await page.getByLabel('API key').fill(KEY);
    await page.getByText('A key of Anthropic').waitFor();
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor({ state: 'detached' });
    await page.locator('textarea:focus').waitFor();
    await send('Hello');
    await page.getByText(ANSWER).waitFor();
    expect(vendors.asked).toContain('anthropic/claude-sonnet-5');
    expect(await page.content()).not.toContain(KEY);
    opened.expectClean();
  });

  it('says what the vendor says of a wrong key, and takes a right one then', async () => {
    await start();
    await page.getByLabel('API key').fill('sk-ant-wrong-0123456789');
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText(WRONG_KEY).waitFor();
    await expect.poll(() => page.getByLabel('API key').getAttribute('aria-invalid')).toBe('true');
    expect((await server.call('/api/chat/providers')).body.default).toBe('demo');
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor({ state: 'detached' });
    opened.expectClean(/status of 502/);
  });

  it('asks whose a key is that could be several vendors’', async () => {
    vendors.key = 'sk-0123456789abcdef';
    await start();
    await page.getByLabel('API key').fill(vendors.key);
    const vendor = page.getByLabel('Whose key is it?');
    expect(await vendor.locator('option').allInnerTexts()).toEqual(['Choose…', 'OpenAI', 'DeepSeek']);
    await vendor.selectOption('DeepSeek');
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor({ state: 'detached' });
    expect((await server.call('/api/chat/providers')).body.default).toBe('deepseek');
    opened.expectClean();
  });

  it('finds Ollama when it comes up, and uses a model of it that chats', async () => {
    await start();
    await page.getByText('It is not running').waitFor();
    vendors.isOllamaRunning = true;
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('It is running').waitFor();
    const models = page.getByLabel('Ollama model');
    expect(await models.locator('option').allInnerTexts()).toEqual(['llama3.2:latest', 'qwen3:8b']);
    await models.selectOption('qwen3:8b');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByRole('heading', { name: 'Connect a model' }).waitFor({ state: 'detached' });
    await send('Hello');
    await page.getByText(ANSWER).waitFor();
    expect(vendors.asked).toEqual(expect.arrayContaining(['ollama/qwen3:8b']));
    opened.expectClean();
  });
});
