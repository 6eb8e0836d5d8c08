import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { editFile } from '../../../src/tools/builtin/edit-file.ts';
import { grep } from '../../../src/tools/builtin/grep.ts';
import { listDirectory } from '../../../src/tools/builtin/list-directory.ts';
import { readFile } from '../../../src/tools/builtin/read-file.ts';
import { searchFiles } from '../../../src/tools/builtin/search-files.ts';
import { writeFile } from '../../../src/tools/builtin/write-file.ts';
import type { ToolContext, ToolOutcome } from '../../../src/tools/tool.ts';
import { resolvePath } from '../../../src/tools/workspace/resolve-path.ts';
import { besideOutside, contentsOf, countHandles, OUTSIDE } from './rig.ts';

const ROUNDS = 400;
/** Enough, where the machine is busy: the swaps go on meanwhile. */
const MAX_MS = 4000;

function* rounds(): Generator<number> {
  const end = performance.now() + MAX_MS;
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) yield round;
}

async function swapper(workspace: string, outside: string): Promise<ChildProcess> {
  const program = join(import.meta.dirname, 'swap-process.ts');
  const child = spawn(process.execPath, [program, workspace, outside], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child.stdout!, 'data');
  return child;
}

/** One call of every kind, on what is being swapped. */
function callAll(context: ToolContext, round: number): Promise<ToolOutcome>[] {
  const old = 'i';
  const reads = ['file', 'folder/secret', 'file', 'folder/secret', 'folder/deep/secret', 'file', 'folder/secret'];
  return [
    ...reads.map((path) => readFile.run({ path }, context)),
    listDirectory.run({ path: 'folder/deep' }, context),
    writeFile.run({ path: `folder/new/${round}`, content: 'inside\n' }, context),
    editFile.run({ path: 'folder/secret', old, new: 'in', replaceAll: true }, context),
    listDirectory.run({ path: 'folder' }, context),
    searchFiles.run({ path: '.', pattern: '**' }, context),
    grep.run({ path: '.', pattern: '.*' }, context),
    grep.run({ path: 'folder', pattern: '.*' }, context),
  ];
}

it('no file tool is led out by what is swapped while it works', async () => {
  const { context, outside } = besideOutside();
  writeFileSync(join(outside, 'only-outside'), OUTSIDE);
  const before = contentsOf(outside);
  await swapper(context.workspace, outside);
  const handles = countHandles();
  const seen = { out: 0, inside: 0 };
  for (const round of rounds()) {
    const outcomes = await Promise.all(callAll(context, round));
    for (const { text, isError } of outcomes) {
      expect(text).not.toContain(OUTSIDE);
      expect(text).not.toContain('only-outside');
      if (isError && text.includes('is outside the workspace')) seen.out++;
      if (!isError) seen.inside++;
    }
  }
  expect(contentsOf(outside)).toEqual(before);
  expect(countHandles()).toBe(handles);
  // Both were met, or nothing was put to the test.
  expect([seen.out > 0, seen.inside > 0]).toEqual([true, true]);
});

it('nothing is written to or edited outside through a file that is swapped', async () => {
  const { context, outside } = besideOutside();
  const before = contentsOf(outside);
  await swapper(context.workspace, outside);
  const seen = { out: 0, inside: 0 };
  for (const _ of rounds()) {
    const outcomes = await Promise.all([
      writeFile.run({ path: 'file', content: 'written\n' }, context),
      editFile.run({ path: 'file', old: 'i', new: 'in', replaceAll: true }, context),
      writeFile.run({ path: 'folder/secret', content: 'written\n' }, context),
    ]);
    const paths = await Promise.allSettled(['file', 'folder/secret'].map((path) => resolvePath(context, path)));
    for (const result of paths)
      if (result.status === 'fulfilled') expect(result.value.path).toMatch(/^(?:file|folder\/secret)$/);
    for (const { text, isError } of outcomes)
      if (isError && text.includes('is outside the workspace')) seen.out++;
      else if (!isError) seen.inside++;
  }
  expect(contentsOf(outside)).toEqual(before);
  expect([seen.out > 0, seen.inside > 0]).toEqual([true, true]);
});
