import type { Browser } from 'playwright-core';
import { BROWSER, startBrowser } from '../test/attacks/browser.ts';
import { answer, startAnswers } from './page-answer.ts';
import { countFrames, type Frames } from './page-frames.ts';
import { blankLoad, firstLoad } from './page-load.ts';
import { report } from './page-report.ts';
import { type Running, startServer } from './processes.ts';

const LOADS = 7;
const DELTAS_A_SECOND = 100;
const STREAM_SECONDS = 20;
const SCROLL_SECONDS = 8;
const STILL_SECONDS = 5;
const MESSAGES = 10_000;
const LIMIT_MS = 180_000;

if (!BROWSER) throw new Error('there is no Chromium on this machine');
setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();

const pieces = answer(400).slice(0, DELTAS_A_SECOND * (STREAM_SECONDS + 4));
const answers = await startAnswers(pieces, DELTAS_A_SECOND);
const server = await startServer(answers.url);
const browser = await startBrowser();

const blankMs: number[] = [];
const readyMs: number[] = [];
let bytes = new Map<string, number>();
for (let at = 0; at < LOADS; at++) {
  blankMs.push(await blankLoad(browser, server.url));
  const load = await firstLoad(browser, server.url);
  readyMs.push(load.readyMs);
  bytes = load.bytes;
}
const still = await atRest(browser);
const streaming = await stream(browser, server);
const { scrolling, elements } = await scroll(browser, server);
await browser.close();
await server.stop();
answers.stop();
const deltas = DELTAS_A_SECOND * STREAM_SECONDS;
const isFine = report({ bytes, readyMs, blankMs, still, streaming, deltas, scrolling, elements, messages: MESSAGES });
if (!isFine) process.exitCode = 1;

async function atRest(browser: Browser): Promise<Frames> {
  const page = await browser.newPage();
  const frames = await countFrames(page, STILL_SECONDS, async () => {});
  await page.close();
  return frames;
}

/** A run whose answer comes while the page is looking on. */
async function stream(browser: Browser, { url }: Running): Promise<Frames> {
  const id = await newConversation(url, '/api/chat/conversations', {});
  const page = await browser.newPage();
  await page.goto(`${url}/#/chat/${id}`);
  await page.getByRole('textbox', { name: 'Message' }).fill('text');
  const told = await post(url, `/api/chat/conversations/${id}/messages/agentic`, {
    content: 'Tell me all of it',
    model: 'openai/gpt-4o-mini',
    securityMode: 'deny',
  });
  // The run goes on without anybody who listens.
  await told.body?.cancel();
  await page.reload();
  await page.getByText('Part 0').waitFor();
  const frames = await countFrames(page, STREAM_SECONDS, async () => {});
  await page.close();
  return frames;
}

/** A long conversation, scrolled up from its end as by a wheel. */
async function scroll(browser: Browser, { url }: Running): Promise<{ scrolling: Frames; elements: number }> {
  const id = await newConversation(url, '/api/chat/conversations/import', {
    conversation: { title: 'Long' },
    messages: Array.from({ length: MESSAGES }, (_, at) =>
      at % 2 === 0
        ? { role: 'user', content: `Question ${at}` }
        : { role: 'assistant', content: answer(2).join('').replace('Part 0', `Answer ${at}`) },
    ),
  });
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(`${url}/#/chat/${id}`);
  await page.getByText(`Answer ${MESSAGES - 1}`).waitFor();
  await page.mouse.move(700, 400);
  const scrolling = await countFrames(page, SCROLL_SECONDS, async () => {
    const end = performance.now() + SCROLL_SECONDS * 1000 - 200;
    while (performance.now() < end) {
      await page.mouse.wheel(0, -300);
      await page.waitForTimeout(30);
    }
  });
  const elements = await page.evaluate<number>(`document.querySelectorAll('*').length`);
  await page.close();
  return { scrolling, elements };
}

async function newConversation(url: string, path: string, body: object): Promise<string> {
  const answer = (await (await post(url, path, body)).json()) as { conversation: { id: string } };
  return answer.conversation.id;
}

async function post(url: string, path: string, body: object): Promise<Response> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
