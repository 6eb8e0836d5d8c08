import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { walk } from './walk.ts';

it('refuses a folder with more entries than it looks at, rather than overlook some', async () => {
  const root = mkdtempSync(join(tmpdir(), 'profclaw-walk-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const folder of ['a', 'z', 'node_modules']) mkdirSync(join(root, folder));
  for (let i = 0; i < 30; i++)
    for (const folder of ['a', 'node_modules']) writeFileSync(join(root, folder, `${i}`), '');
  writeFileSync(join(root, 'z/.env'), '');
  const all = await walk(root, () => 'enter', 100);
  expect(all.map(({ path }) => path)).toContain('z/.env');
  expect(all).toHaveLength(34);
  for (let i = 0; i < 100; i++) mkdirSync(join(root, `a/folder-${i}`));
  await expect(walk(root, () => 'enter', 100)).rejects.toThrow('more than 100 files');
});
