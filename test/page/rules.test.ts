import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpServer } from '../mcp/http-server.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

const RULES = '/api/chat/tools/rules';
/** The browser notes every refused request. */
const REFUSED = /status of (400|403)/;

describe.skipIf(!BROWSER)('what tools may do', () => {
  let rig: Rig;
  let server: TestServer;
  let opened: OpenPage;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    server = await startTestServer({ PROFCLAW_MCP_PRIVATE: 'allow' });
  });
  afterEach(async () => {
    opened.expectClean(REFUSED);
    await opened.context.close();
    await server.stop();
  });

  const open = async (section: string): Promise<void> => {
    opened = await rig.open(`${server.url}/#/settings/${section}`);
    page = opened.page;
    page.setDefaultTimeout(15_000);
  };
  const rules = () => page.getByRole('list', { name: 'Rules' }).getByRole('listitem');

  it('a rule is made, explains a call, and is deleted', async () => {
    await open('rules');
    await page.getByText('There is none yet.').waitFor();
    const explain = page.getByRole('form', { name: 'What would happen to a call?' });
    await explain.getByLabel('Command').fill('git status --short');
    await explain.getByRole('button', { name: 'Explain' }).click();
    await explain.getByText('You would be asked.').waitFor();

    await page.getByRole('button', { name: 'Add a rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a rule' });
    await dialog.getByLabel('Command').fill('git status *');
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await dialog.waitFor({ state: 'detached' });
    await rules().getByText('git status *').waitFor();
    const { body } = await server.call(RULES);
    expect(body.rules).toMatchObject([
      { tool: 'exec', match: { command: 'git status *' }, action: 'allow', scope: 'user', expiresAt: null },
    ]);

    await explain.getByRole('button', { name: 'Explain' }).click();
    await explain.getByText('It would be carried out.').waitFor();
    await rules().filter({ hasText: 'git status *' }).getByText('decides on this call').waitFor();
    await explain.getByLabel('Command').fill('git status && rm -rf src');
    await expect.poll(() => page.getByText('decides on this call').count()).toBe(0);
    await explain.getByLabel('What tools may do').selectOption('By my rules');
    await explain.getByRole('button', { name: 'Explain' }).click();
    await explain.getByText('It would be refused.').waitFor();
    await explain.getByText(/Nothing allows "rm -rf src"/).waitFor();

    await rules().getByRole('button', { name: 'Delete the rule for exec' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is none yet.').waitFor();
    expect((await server.call(RULES)).body.rules).toEqual([]);
  });

  it('what is wrong with a rule stands at its field, and nothing is made', async () => {
    await open('rules');
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a rule' });
    await dialog.getByLabel('Tool').fill('read_file');
    await dialog.getByLabel('Command').fill('ls');
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await dialog.getByText('calls of read_file are about no command').waitFor();
    await expect(dialog.getByLabel('Command').getAttribute('aria-invalid')).resolves.toBe('true');
    await expect(dialog.getByLabel('Tool').getAttribute('aria-invalid')).resolves.toBe('false');
    await dialog.getByLabel('Exactly these arguments').fill('{"path":');
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await dialog.getByText(/is no JSON/).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect((await server.call(RULES)).body.rules).toEqual([]);
  });

  it('what a rule would have changed is said before it is made; one for a conversation holds there only', async () => {
    const { body } = await server.call('/api/chat/conversations', { title: 'Where it ran' });
    const { id } = body.conversation;
    await server.call(`/api/chat/conversations/${id}/messages/with-tools`, {
      ...{ model: 'demo', securityMode: 'full' },
      content: '/tool exec {"command": "ls -l"}\n/tool list_directory\n/next\n/say Done.',
    });
    await open('rules');
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a rule' });
    await dialog.getByLabel('denied, in every mode').check();
    await dialog.getByLabel('Command').fill('ls *');
    await dialog.getByRole('button', { name: 'What would it have changed?' }).click();
    await dialog.getByText('1 of the 2 calls of the last runs:').waitFor();
    await dialog.getByText('refused instead of carried out').waitFor();
    expect((await server.call(RULES)).body.rules).toEqual([]);
    await dialog.getByLabel('Command').fill('touch *');
    await dialog.getByRole('button', { name: 'What would it have changed?' }).click();
    await dialog.getByText('Nothing about the 2 calls of the last runs.').waitFor();
    await dialog.getByLabel('Where').selectOption('Where it ran');
    await dialog.getByLabel('Until').fill('2099-01-01T10:00');
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await rules().getByRole('link', { name: 'one conversation' }).waitFor();
    await rules()
      .getByText(/until .*2099/)
      .waitFor();
    const made = (await server.call(RULES)).body.rules;
    expect(made).toMatchObject([{ action: 'deny', scope: 'conversation', conversationId: id }]);
  });

  it('tools and the sandbox are named in plain words, and many rules are searched', async () => {
    for (const command of ['git log *', 'git diff *', 'ls *', 'cat *', 'pwd', 'npm test'])
      await server.call(RULES, { tool: 'exec', match: { command }, action: 'allow' });
    await open('rules');
    await expect.poll(() => rules().count()).toBe(6);
    await page.getByLabel('Search the rules').fill('git');
    await expect.poll(() => rules().count()).toBe(2);
    const { body } = await server.call('/api/chat/tools');
    const said = body.sandbox.kind === 'none' ? 'There is no sandbox' : 'Commands run in a sandbox';
    await page.getByText(said).waitFor();
    await page.getByText(`${body.tools.length} tools`).click();
    await page.getByRole('row', { name: /write_file.*moderate.*twice is as once/ }).waitFor();
  });

  it('a server of tools is added, its tools are listed, and it is deleted', async () => {
    const tools = await httpServer();
    await open('mcp');
    await page.getByText('There is none yet.').waitFor();
    await page.getByRole('button', { name: 'Add a server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a server of tools' });
    await dialog.getByLabel('Name').fill('docs');
    await dialog.getByRole('textbox', { name: 'Address' }).fill('no address');
    await dialog.getByLabel('Headers').fill('authorization: Bearer token-0123456789');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.getByText('must be an http or https URL').waitFor();
    await dialog.getByRole('textbox', { name: 'Address' }).fill(tools.url);
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.waitFor({ state: 'detached' });
    const row = page.getByRole('list', { name: 'Tool servers' }).getByRole('listitem').first();
    await row.getByText('connected').waitFor();
    await row.getByText('headers: authorization').waitFor();
    await row.getByText('3 tools').click();
    await row.getByText('mcp__docs__echo').waitFor();
    await expect(page.content()).resolves.not.toContain('token-0123456789');
    await row.getByRole('button', { name: 'Test docs' }).click();
    await row.getByText(/connected, \d+ ms/).waitFor();
    await row.getByRole('button', { name: 'Switch docs off' }).click();
    await row.getByText('switched off').waitFor();
    await row.getByRole('button', { name: 'Delete docs' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is none yet.').waitFor();
    expect((await server.call('/api/chat/mcp/servers')).body.servers).toEqual([]);
    expect(tools.met.some(({ headers }: Json) => headers.authorization === 'Bearer token-0123456789')).toBe(true);
  });

  it('a program that the server does not take says why', async () => {
    await open('mcp');
    await page.getByRole('button', { name: 'Add a server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a server of tools' });
    await dialog.getByLabel('As a program').check();
    await dialog.getByLabel('Name').fill('files');
    await dialog.getByLabel('Program', { exact: true }).fill('npx');
    await dialog.getByLabel('Variables').fill('no pair');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.getByText('needs “NAME=value” in each line: no pair').waitFor();
    await dialog.getByLabel('Variables').fill('TOKEN=x');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/have the operator set PROFCLAW_MCP_STDIO=allow/)
      .waitFor();
  });
});
