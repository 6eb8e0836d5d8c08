import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Json, TestServer } from '../server.ts';

/** Writes a message, and sends it as soon as that can be done. */
export async function say(page: Page, text: string): Promise<void> {
  const field = composer(page);
  await field.fill(text);
  const send = page.getByRole('form', { name: 'Message' }).locator('button[type=submit]');
  await expect.poll(() => send.isEnabled()).toBe(true);
  await field.press('Enter');
}

/** Orders an answer that comes bit by bit. @param ms milliseconds between two pieces */
export function stream(pieces: number, ms: number): string {
  const words = Array.from({ length: pieces }, (_, index) => `word${index + 1}`);
  return `/say ${words.join(' ')}\n/stream ${pieces} ${ms}`;
}

/** Where one writes, whatever goes on. */
export function composer(page: Page): Locator {
  return page.getByRole('form', { name: 'Message' }).getByRole('textbox', { name: /^(Message|Say something)/ });
}

/** All that the model has said, as it is seen. */
export function answers(page: Page): Locator {
  return page.getByRole('article', { name: 'Answer' });
}

/** The conversation that the page is at. */
export async function idOf(page: Page): Promise<string> {
  await page.waitForURL(/#\/chat\/conv_/);
  return /conv_[0-9a-z]+/.exec(page.url())?.[0] ?? '';
}

/** What is stored of a conversation. */
export async function stored(server: Pick<TestServer, 'url'>, id: string): Promise<Json[]> {
  const response = await fetch(`${server.url}/api/chat/conversations/${id}`);
  return ((await response.json()) as Json).messages;
}

/** Waits until the page shows what is stored: each answer whole and once, in order. */
export async function expectAsStored(page: Page, server: Pick<TestServer, 'url'>, id: string): Promise<void> {
  await page.getByRole('button', { name: 'Answer again' }).waitFor();
  const said = (await stored(server, id)).filter(({ role }) => role === 'assistant');
  const text = said.map(({ content }) => content).filter((content) => content !== '');
  const shown = page.locator('.step-text');
  await expect.poll(async () => (await shown.allInnerTexts()).map(plain)).toEqual(text.map(plain));
}

/** White space is not the matter. */
export function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
