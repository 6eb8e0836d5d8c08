import type { ServerResponse } from 'node:http';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER, startBrowser } from '../attacks/browser.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { type PlayedVendor, startPlayedVendor } from './played-vendor.ts';
import { serveUseChatPage } from './use-chat-page/serve.ts';

const WRITE = '/say Let me\n/tool write_file {"path": "a.txt", "content": "A"}\n/next';
/** The vendor's stream, in two pieces. */
const PIECES = [chunk({ content: 'The first' }), `${chunk({ content: ' and the rest.' }, 'stop')}data: [DONE]\n\n`];

let browser: Browser;
let server: TestServer;
let played: PlayedVendor;
let site: Awaited<ReturnType<typeof serveUseChatPage>>;
let page: Page;
let chats = 0;
/** What pages have thrown, or complained of. */
const errors: string[] = [];

describe.skipIf(!BROWSER)('useChat in a page of another origin, in strict mode', () => {
  beforeAll(async () => {
    [browser, played, site] = await Promise.all([startBrowser(), startPlayedVendor(), serveUseChatPage()]);
    const environment = { GROQ_API_KEY: 'gsk', GROQ_BASE_URL: played.url, PROFCLAW_CORS_ORIGINS: site.url };
    server = await startTestServer(environment);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    played?.stop();
    site?.stop();
  });
  afterEach(async () => {
    await page?.close();
    expect(errors).toEqual([]);
  });

  it('shows reasoning, calls and text, goes on in the same chat, answers again, and shows an error', async () => {
    await open('demo');
    await say('/reason Hm\n/say Let me look\n/tool list_directory\n/next\n/say Done');
    await isStatus('ready');
    expect(await answers().locator('blockquote, p').allInnerTexts()).toEqual(['Hm', 'Let me look', 'Done']);
    expect(await tool('list_directory').innerText()).toBe('output-available');
    await say('/stream 3');
    await expect.poll(() => answers().count()).toBe(2);
    await isStatus('ready');
    const told = await answers().last().innerText();
    await page.getByRole('button', { name: 'Again' }).click();
    await isStatus('ready');
    expect(await answers().last().innerText()).toBe(told);
    expect(await answers().count()).toBe(2);
    await say('/fail 401 The key is wrong');
    await expect.poll(() => status().innerText()).toMatch(/^error: .*The key is wrong/);
  });

  it('shows what is said while it is said, and is reloaded in the midst of it', async () => {
    const held = played.hold({ type: 'groq' }, PIECES, 1);
    await open('groq/llama');
    await say('Hello');
    await answers().getByText('The first').waitFor();
    await isStatus('streaming');
    await page.reload();
    await isStatus('streaming');
    expect(await answers().locator('p').allInnerTexts()).toEqual(['The first']);
    held.goOn();
    await isStatus('ready');
    expect(await answers().locator('p').allInnerTexts()).toEqual(['The first and the rest.']);
    await Promise.all([nothingToResume(), page.reload()]);
    await isStatus('ready');
    expect(await answers().locator('p').allInnerTexts()).toEqual(['The first and the rest.']);
  });

  it('asks, also after a reload, and goes on in the same message when it is allowed', async () => {
    await open('demo');
    await say(`${WRITE}\n/say Written`);
    await tool('write_file').getByRole('button', { name: 'Allow' }).waitFor();
    await page.reload();
    // The chat is told again what it waits for: until that is done, an answer would be overwritten.
    await expect.poll(() => status().getAttribute('data-ends')).toBe('1');
    await tool('write_file').getByRole('button', { name: 'Allow' }).click();
    await answers().getByText('Written', { exact: true }).waitFor();
    await isStatus('ready');
    expect(await tool('write_file').innerText()).toBe('output-available');
    expect(await answers().locator('p').allInnerTexts()).toEqual(['Let me', 'Written']);
    expect(await answers().count()).toBe(1);
  });

  it('tells the model why a call is denied', async () => {
    await open('demo');
    await say(WRITE);
    await tool('write_file').getByRole('button', { name: 'Deny' }).click();
    await answers().getByText('not on a Sunday').waitFor();
    expect(await tool('write_file').innerText()).toBe('output-denied');
  });

  it('hides what an attempt has said in vain, as the docs show it', async () => {
    let calls = 0;
    played.play((response) => {
      const isFirst = calls++ === 0;
      begin(response).write(isFirst ? chunk({ content: 'In vain' }) : PIECES.join(''));
      if (!isFirst) response.end();
      else
        void answers()
          .getByText('In vain')
          .waitFor()
          .then(() => response.destroy());
    });
    await open('groq/llama');
    await say('Hello');
    await answers().getByText('The first and the rest.').waitFor();
    await isStatus('ready');
    expect(calls).toBe(2);
    expect(await answers().locator('p').allInnerTexts()).toEqual(['The first and the rest.']);
    // step-start, text, data-reset, step-start, text: it is in the message, and is not shown.
    expect(await answers().getAttribute('data-parts')).toBe('5');
  });

  it('is stopped, and shows the answer again when it comes back', async () => {
    const held = played.hold({ type: 'groq' }, PIECES, 1);
    await open('groq/llama');
    await say('Hello');
    await answers().getByText('The first').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await isStatus('ready');
    await page.reload();
    await isStatus('streaming');
    held.goOn();
    await answers().getByText('The first and the rest.').waitFor();
    expect(await answers().locator('p').count()).toBe(1);
  });
});

/** Opens a chat of its own. */
async function open(model: string): Promise<void> {
  page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const query = new URLSearchParams({ api: `${server.url}/api/chat/ui`, id: `chat ${++chats}`, model });
  // What is said before there is nothing to resume would be told twice.
  await Promise.all([nothingToResume(), page.goto(`${site.url}/?${query}`)]);
}

async function nothingToResume(): Promise<void> {
  await page.waitForResponse((response) => response.status() === 204);
}

async function say(text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

function status(): Locator {
  return page.locator('output');
}

async function isStatus(name: string): Promise<void> {
  await expect.poll(() => status().innerText()).toBe(name);
}

function answers(): Locator {
  return page.getByRole('article', { name: 'assistant' });
}

function tool(name: string): Locator {
  return answers().getByRole('region', { name });
}

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

function chunk(delta: object, finish_reason: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
}
