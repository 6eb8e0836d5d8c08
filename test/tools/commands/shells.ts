import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandLine, Word } from '../../../src/tools/policy/shell/command-line.ts';

/** Programs of which each writes its name and arguments to descriptor 3, and a word to its output. */
const STUBS = ['ls', 'rm', 'git', 'cat', 'wc', 'grep'];
/** Real ones, where the host has them. */
const REAL = ['env', 'nice', 'nohup', 'timeout', 'xargs', 'find', 'stdbuf', 'setsid'];

/** The shells of this host that may be its /bin/sh, by that name, and bash by its own, by which it reads otherwise. */
export const SHELLS = [
  { path: '/bin/dash', argv0: 'sh' },
  { path: '/bin/bash', argv0: 'sh' },
  { path: '/bin/bash', argv0: 'bash' },
].filter(({ path }) => existsSync(path));

/** A folder with programs to run lines with, and files to be found. */
export function layOut(folder: string): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  // One write a record, since several may run at once.
  const body = `#!/bin/sh\nIFS='\x1f'\nprintf '%s\\036' "\${0##*/}\x1f$#\x1f$*" >&3\necho out\n`;
  for (const name of STUBS) writeFileSync(join(bin, name), body);
  writeFileSync(join(bin, 'no'), `${body}exit 1\n`);
  for (const name of [...STUBS, 'no']) chmodSync(join(bin, name), 0o755);
  for (const name of REAL) {
    const path = ['/usr/bin', '/bin'].map((one) => join(one, name)).find((one) => existsSync(one));
    if (path !== undefined) symlinkSync(path, join(bin, name));
  }
  const work = join(folder, 'work');
  mkdirSync(join(work, 'src'), { recursive: true });
  for (const name of ['a.txt', 'b.txt', 'src/c.ts', '-x', 'a b']) writeFileSync(join(work, name), 'rm x\n');
}

/** The name and the arguments of every stub that really ran. */
export function runLine(folder: string, shell: (typeof SHELLS)[number], line: string): string[][] {
  const work = join(folder, 'work');
  const { output } = spawnSync(shell.path, ['-c', line], {
    argv0: shell.argv0,
    cwd: work,
    env: { PATH: join(folder, 'bin'), HOME: work, x: 'rm y', y: '-x' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    timeout: 5000,
    killSignal: 'SIGKILL',
  });
  const records = String(output?.[3] ?? '').split('\x1e');
  return records.slice(0, -1).map((record) => {
    const [name = '', count, ...given] = record.split('\x1f');
    return count === '0' ? [name] : [name, ...given];
  });
}

/** Is what ran one of the commands that were read? */
export function isAmong(ran: readonly string[], { commands }: CommandLine): boolean {
  return commands.some(({ words }) => isSame(ran, words));
}

function isSame(ran: readonly string[], words: readonly Word[]): boolean {
  const [word, ...rest] = words;
  if (word === undefined) return ran.length === 0;
  const [first, ...others] = ran;
  const begins = first?.startsWith(word.text) ?? false;
  if (!word.isDynamic) return first === word.text && isSame(others, rest);
  // A folder of the host is as good as what the reader says of it.
  if (word.becomes === 'one') return first !== undefined && (begins || word.text === '~') && isSame(others, rest);
  if (isSame(ran, rest)) return true;
  for (let count = 1; count <= ran.length; count += 1) {
    const taken = ran.slice(0, count);
    const fits = word.becomes === 'several' ? taken.every((one) => one.startsWith(word.text)) : begins;
    if (fits && isSame(ran.slice(count), rest)) return true;
  }
  return false;
}
