import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startRig } from '../test/page/rig.ts';
import { startStage } from '../test/page/stage.ts';
import { startTestServer } from '../test/server.ts';

// Takes the pictures of docs/page.md, of the page in dist/web: `npm run screenshots`.

const FOLDER = join(import.meta.dirname, '../docs/screenshots');
const WIDE = { width: 1200, height: 760 };
const PHONE = { width: 390, height: 780 };

mkdirSync(FOLDER, { recursive: true });
const rig = await startRig();
const empty = await startTestServer();
const { server, stage, stop } = await startStage();
try {
  const first = await rig.open(empty.url, { viewport: WIDE, colorScheme: 'light' });
  await first.page.getByRole('main').getByText('ollama serve').waitFor();
  await first.page.screenshot({ path: join(FOLDER, 'start-light.png') });
  await first.context.close();

  const views: [string, string, RegExp][] = [
    ['conversation', `#/chat/${stage.conversation}`, /RFC 6585/],
    ['approval', `#/chat/${stage.waiting.conversation}`, /Allow once/],
    ['agent', `#/chat/${stage.agent.conversation}`, /with two entries/],
    ['run', `#/runs/${stage.agent.run}`, /edit_file/],
    ['providers', '#/settings/providers', /Anthropic/],
    ['rules', '#/settings/rules', /bubblewrap/],
  ];
  const shots: [string, 'light' | 'dark', { width: number; height: number }, readonly string[]][] = [
    ['light', 'light', WIDE, ['conversation', 'approval', 'run', 'providers', 'rules']],
    ['dark', 'dark', WIDE, ['conversation', 'agent']],
    ['phone', 'light', PHONE, ['conversation', 'approval']],
  ];
  for (const [ending, colorScheme, viewport, names] of shots) {
    const { page, context } = await rig.open(server.url, { viewport, colorScheme });
    for (const [name, address, text] of views.filter(([one]) => names.includes(one))) {
      await page.goto(`${server.url}/${address}`);
      await page.getByRole('main').getByText(text).first().waitFor();
      if (name === 'agent') await page.getByText('edit_file').click();
      // The colours of code come later than the code.
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: join(FOLDER, `${name}-${ending}.png`) });
    }
    await context.close();
  }
} finally {
  await rig.stop();
  await empty.stop();
  await stop();
}
