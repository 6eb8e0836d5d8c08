import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupFolders } from '../src/tools/sandbox/cgroup.ts';
import { probeSandbox } from '../src/tools/sandbox/find-sandbox.ts';
import type { Sandbox } from '../src/tools/sandbox/sandbox.ts';
import { median } from './report.ts';

const ROUNDS = 60;
const WARM_UP = 5;
/** What a sandbox may cost more than a bare process, in milliseconds. */
const TARGET_MS = 30;
const LIMIT_MS = 120_000;
const FOLDERS = 200;
const FILES_IN_EACH = 20;

setTimeout(() => {
  console.error('bench: took too long');
  process.exit(1);
}, LIMIT_MS).unref();

const small = newFolder();
const large = newFolder();
for (let folder = 0; folder < FOLDERS; folder++) {
  mkdirSync(join(large, `${folder}`));
  for (let file = 0; file < FILES_IN_EACH; file++) writeFileSync(join(large, `${folder}/${file}.ts`), '');
  if (folder < 10) writeFileSync(join(large, `${folder}/.env`), '');
}
const cgroups = cgroupFolders();
const watched = await probeSandbox('bwrap');
const grouped = cgroups === undefined ? undefined : await probeSandbox('bwrap', cgroups);
if (watched === undefined) {
  console.error('bench: bwrap is not installed, or does not work here');
  process.exit(1);
}

const SIDES: Record<string, () => Promise<unknown>> = {
  'a bare `true`': bare,
  'in the sandbox': () => sandboxed(watched, small),
  ...(grouped && { 'in the sandbox, with a cgroup': () => sandboxed(grouped, small) }),
  'in a workspace of 4,000 files, ten of them secret': () => sandboxed(grouped ?? watched, large),
};

const times: Record<string, number[]> = Object.fromEntries(Object.keys(SIDES).map((name) => [name, []]));
for (let round = -WARM_UP; round < ROUNDS; round++) {
  const names = round % 2 === 0 ? Object.keys(SIDES) : Object.keys(SIDES).toReversed();
  for (const name of names) {
    const begun = performance.now();
    await SIDES[name]?.();
    const took = performance.now() - begun;
    if (round >= 0) times[name]?.push(took);
  }
}
rmSync(small, { recursive: true });
rmSync(large, { recursive: true });

const [base = [], ...others] = Object.values(times);
console.log(`\`true\` from its start to its end, ${ROUNDS} times in turn; medians.\n`);
console.log('| | ms | the quickest | more than the bare one beside it |\n| --- | --- | --- | --- |');
for (const [name, all] of Object.entries(times)) {
  const more = median(all.map((took, round) => took - (base[round] ?? 0)));
  console.log(
    `| ${name} | ${median(all).toFixed(1)} | ${Math.min(...all).toFixed(1)} | ${all === base ? '' : `${more.toFixed(1)} ms`} |`,
  );
}
const worst = Math.max(...others.slice(0, -1).map((all) => median(all.map((took, at) => took - (base[at] ?? 0)))));
const isMet = worst < TARGET_MS;
console.log(`\nTarget: less than ${TARGET_MS} ms more: ${isMet ? 'pass' : 'FAIL'}.`);
process.exitCode = isMet ? 0 : 1;

function newFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'profclaw-bench-')));
}

async function bare(): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'true'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.resume();
  child.stderr.resume();
  await once(child, 'close');
}

async function sandboxed(sandbox: Sandbox, workspace: string): Promise<void> {
  const grant = { opensSecret: () => false, hidesPath: () => false };
  const { signal } = new AbortController();
  const result = await sandbox.run({ command: 'true', workspace, isReadOnly: false, grant, signal });
  if (result.exitCode !== 0) throw new Error(`It failed: ${JSON.stringify(result)}`);
}
