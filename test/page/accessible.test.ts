import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../server.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';
import { type Stage, startStage } from './stage.ts';

// axe-core finds nothing serious on any view, light and dark, wide and on a phone.

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 360, height: 740 };

/** What stands on a view when it is there: its address, and a text. */
const VIEWS: readonly [string, (stage: Stage) => string, RegExp][] = [
  ['a new chat', () => '#/', /New conversation/],
  ['a conversation', ({ conversation }) => `#/chat/${conversation}`, /token bucket/],
  ['a run with edits', ({ agent }) => `#/chat/${agent.conversation}`, /with two entries/],
  ['an approval', ({ waiting }) => `#/chat/${waiting.conversation}`, /Allow once/],
  ['the runs', () => '#/runs', /Tidy up the notes/],
  ['a run', ({ agent }) => `#/runs/${agent.run}`, /edit_file/],
  ...['providers', 'rules', 'mcp', 'keys', 'sessions', 'account', 'users'].map(
    (section): [string, () => string, RegExp] => [section, () => `#/settings/${section}`, /./],
  ),
];

describe.skipIf(!BROWSER)('what hinders people', () => {
  let rig: Rig;
  let server: TestServer;
  let stage: Stage;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    ({ server, stage, stop } = await startStage());
    rig = await startRig();
  });
  afterAll(async () => {
    await rig.stop();
    await stop();
  });

  it.each([
    ['light', undefined],
    ['dark', undefined],
    ['light', PHONE],
  ] as const)('%s, %o', { timeout: 90_000 }, async (colorScheme, viewport) => {
    const { page, expectClean } = await rig.open(server.url, { colorScheme, ...(viewport ? { viewport } : {}) });
    const found: string[] = [];
    for (const [name, address, text] of VIEWS) {
      await page.goto(`${server.url}/${address(stage)}`);
      await page.getByRole('main').getByText(text).first().waitFor();
      await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
      found.push(...(await faults(page)).map((fault) => `${name}: ${fault}`));
      if (viewport) expect(await isTooWide(page), `${name} scrolls sideways`).toBe(false);
    }
    expect(found).toEqual([]);
    expectClean();
  });

  it('finds a fault where there is one', async () => {
    const { page } = await rig.open(server.url);
    await page.getByRole('main').waitFor();
    await page.evaluate(() => document.querySelector('main')?.append(document.createElement('button')));
    expect(await faults(page)).toEqual([expect.stringContaining('button-name')]);
  });
});

/** What axe-core calls serious or critical, with where it stands. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const results: AxeResults = await page.evaluate('axe.run()');
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
