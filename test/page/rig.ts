import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { BROWSER, startBrowser } from '../attacks/browser.ts';

export { BROWSER };

/** One browser for a file of tests. */
export interface Rig {
  browser: Browser;
  /** Opens the page in a window of its own, as a stranger's browser would. */
  open(url: string, options?: BrowserContextOptions): Promise<OpenPage>;
  stop(): Promise<void>;
}

/** An open page, and what it did that it should not. */
export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** Addresses of other origins that it has asked, or tried to. */
  foreign: string[];
  /** What it has written to the console as an error, or thrown. */
  errors: string[];
  /** Fails if it has asked another origin, or complained. `but`: complaints that are meant to be. */
  expectClean(but?: RegExp): void;
}

export async function startRig(): Promise<Rig> {
  const browser = await startBrowser();
  return {
    browser,
    open: async (url, options) => {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const foreign: string[] = [];
      const errors: string[] = [];
      page.on('request', (request) => {
        if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin)
          foreign.push(request.url());
      });
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(url);
      const expectClean = (but?: RegExp): void => {
        expect(foreign).toEqual([]);
        expect(errors.filter((text) => !but?.test(text))).toEqual([]);
      };
      return { page, context, foreign, errors, expectClean };
    },
    stop: () => browser.close(),
  };
}
