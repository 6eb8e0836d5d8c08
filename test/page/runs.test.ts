import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../free-port.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

const ASKS =
  '/say I would like to write.\n/tool write_file {"path": "notes.txt", "content": "Seen."}\n/next\n/say Written.';

describe.skipIf(!BROWSER)('runs', () => {
  let rig: Rig;
  let server: TestServer;
  let opened: OpenPage;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(async () => {
    opened.expectClean(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE/);
    await opened.context.close();
    await server.stop();
  });

  const open = async (path: string): Promise<void> => {
    opened = await rig.open(`${server.url}/#${path}`);
    page = opened.page;
    page.setDefaultTimeout(15_000);
  };

  /** Starts a run in a conversation of its own. @returns its id */
  const start = async (content: string, more: object = {}, title = 'Tidy up'): Promise<string> => {
    const { body } = await server.call('/api/chat/conversations', { title });
    const path = `/api/chat/conversations/${body.conversation.id}/messages/agentic`;
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', content, securityMode: 'ask', ...more }),
    });
    await response.body?.cancel();
    return (await server.call('/api/chat/runs?limit=1')).body.runs[0].id;
  };
  const ended = (id: string) =>
    expect.poll(async () => (await server.call(`/api/chat/runs/${id}`)).body.run.finishedAt).not.toBeNull();
  /** A badge with the state of a run. */
  const state = (words: string) => page.getByRole('main').locator('.badge', { hasText: words });
  const timeline = () => page.getByRole('table', { name: 'What the run has spent its time on' });

  it('that have ended are listed, and told step by step', async () => {
    const id = await start(
      '/say Let me look.\n/tool list_directory\n/next\n/tool write_file {"path": "a.txt", "content": "A"}\n/next\n/say All done.',
      {
        ...{ securityMode: 'full', maxBudget: 20_000 },
      },
    );
    await ended(id);
    await open('/runs');
    const row = page.getByRole('list', { name: 'Runs' }).getByRole('listitem');
    await row.getByText('3 of 20 steps').waitFor();
    await row.getByText('Done').waitFor();
    await row.getByRole('link', { name: 'Tidy up' }).click();

    await page.getByRole('heading', { level: 1, name: 'Run in “Tidy up”' }).waitFor();
    await expect(page.getByLabel('Steps: 3 of 20').getAttribute('value')).resolves.toBe('3');
    const tokens = page.getByLabel(/^Tokens: [\d,]+ of 20,000$/);
    expect(Number(await tokens.getAttribute('value'))).toBeGreaterThan(10);
    await page.getByText('The work is done.').waitFor();
    await page.getByRole('region', { name: 'How it ended' }).getByText('a.txt').waitFor();
    const what = timeline().getByRole('rowheader');
    await expect
      .poll(() => what.allInnerTexts())
      .toEqual([
        expect.stringMatching(/^Step 1\s+Model/),
        expect.stringMatching(/^Step 1\s+list_directory/),
        expect.stringMatching(/^Step 2\s+Model/),
        expect.stringMatching(/^Step 2\s+write_file/),
        expect.stringMatching(/^Step 3\s+Model/),
      ]);
    await timeline()
      .getByRole('row', { name: /write_file.*ms.*Done/ })
      .waitFor();
    await page.getByText('Step 1', { exact: false }).and(page.locator('summary')).click();
    await page.getByText('Let me look.').waitFor();
    await expect(page.getByRole('button', { name: 'Cancel' }).count()).resolves.toBe(0);
    await expect(page.getByRole('link', { name: 'Open the conversation' }).getAttribute('href')).resolves.toMatch(
      /^#\/chat\/conv_/,
    );
  });

  it('that go on are told live, over a reload, and their questions answered there', async () => {
    const id = await start(ASKS);
    await open(`/runs/${id}`);
    await state('Waits for an answer').waitFor();
    await page.getByRole('group', { name: 'May write_file be called?' }).waitFor();
    await timeline()
      .getByRole('row', { name: /Asks a person: write_file.*goes on/ })
      .waitFor();
    await page.reload();
    await timeline()
      .getByRole('row', { name: /Asks a person: write_file.*goes on/ })
      .waitFor();
    await page.getByRole('button', { name: 'Allow once' }).click();
    await state('Done').waitFor();
    await page.getByText('The work is done.').waitFor();
    const questions = page.getByRole('region', { name: 'Questions' });
    await questions.getByRole('row', { name: /write_file.*Allowed.*this machine/ }).waitFor();
    const rows = timeline().getByRole('row');
    await rows.filter({ hasText: 'Asks a person' }).filter({ hasText: 'Allowed once' }).waitFor();
    const seen = await rows.allInnerTexts();
    expect(seen).toHaveLength(1 + 4);
    await page.reload();
    await expect.poll(() => rows.allInnerTexts()).toEqual(seen);
  });

  it('that wait are still told when the server comes back', async () => {
    const home = mkdtempSync(join(tmpdir(), 'profclaw-'));
    const PORT = `${await freePort()}`;
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    await server.stop();
    server = await startTestServer({ PORT }, home);
    const id = await start(ASKS);
    await open(`/runs/${id}`);
    await state('Waits for an answer').waitFor();
    await server.stop();
    await page.getByText('The connection is lost; trying again').waitFor();
    server = await startTestServer({ PORT }, home);
    await page.getByText('The connection is lost; trying again').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Allow once' }).click();
    await state('Done').waitFor();
    await expect.poll(() => timeline().getByRole('row').count()).toBe(1 + 4);
  });

  it('that ask are named in the frame, and answered from the list', async () => {
    await start(ASKS, {}, 'The first');
    await start(ASKS.replace('notes', 'other'), {}, 'The second');
    await open('/runs');
    await page.getByRole('link', { name: 'Runs 2 approvals wait' }).waitFor();
    const waiting = page.getByRole('region', { name: 'Waiting for your answer (2)' });
    const first = waiting.getByRole('group', { name: 'May write_file be called?' }).first();
    await first.getByText('notes.txt').waitFor();
    await first.getByRole('button', { name: 'Allow once' }).click();
    const last = page.getByRole('region', { name: 'Waiting for your answer' });
    await last.getByText('other.txt').waitFor();
    await expect(last.getByText('notes.txt').count()).resolves.toBe(0);
    await page.getByRole('link', { name: 'Runs 1 approval waits' }).waitFor();
    await last.getByRole('button', { name: 'Deny…' }).click();
    await last.getByRole('button', { name: 'Deny', exact: true }).click();
    await last.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Runs', exact: true }).waitFor();
    const done = page.getByRole('list', { name: 'Runs' }).getByText('Done');
    await expect.poll(() => done.count()).toBe(2);
    const { body } = await server.call('/api/chat/approvals');
    expect(body.approvals.map(({ status }: { status: string }) => status)).toEqual(['denied', 'allowed']);
  });

  it('that go on can be told something, and cancelled', async () => {
    const id = await start('/stream 400 50');
    await open(`/runs/${id}`);
    await state('Running').waitFor();
    await page.getByLabel('Say something to this run').fill('Be brief');
    await page.keyboard.press('Enter');
    await page.getByText('Said. The model sees it before its next step.').waitFor();
    await expect(page.getByLabel('Say something to this run').inputValue()).resolves.toBe('');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Somebody has cancelled it.').waitFor();
    await state('Cancelled').waitFor();
    await timeline()
      .getByRole('row', { name: /Model.*Broken off/ })
      .waitFor();
    await expect(page.getByRole('button', { name: 'Cancel' }).count()).resolves.toBe(0);
    expect((await server.call(`/api/chat/runs/${id}`)).body.run.status).toBe('cancelled');
  });

  it('are shown by their state and page by page, and say why they failed', async () => {
    for (let index = 0; index < 21; index++) await ended(await start('/say Yes.', {}, `Number ${index}`));
    await ended(await start('/fail 401 The key is wrong', {}, 'The bad one'));
    await open('/runs');
    const rows = page.getByRole('list', { name: 'Runs' }).getByRole('listitem');
    await expect.poll(() => rows.count()).toBe(20);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await expect.poll(() => rows.count()).toBe(22);
    await page.getByRole('link', { name: 'Number 0', exact: true }).last().waitFor();
    await page.getByLabel('Show').selectOption('Failed');
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByText(/The key is wrong/).waitFor();
    await page.getByLabel('Show').selectOption('Cancelled');
    await page.getByText('There is none with this state.').waitFor();
  });

  it('that are not there are said to be gone', async () => {
    await open('/runs/run_nothere');
    await page.getByText('There is no such run').waitFor();
    opened.errors.splice(0);
    await page.getByRole('link', { name: 'All runs' }).click();
    await page.getByText('Nothing has run yet.').waitFor();
  });
});
