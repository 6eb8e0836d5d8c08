import { readdir, readFile } from 'node:fs/promises';

const FOLDER = '/proc/self/fdinfo';
const FIRST = 3;
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Numbers of the open files that any program which we start would get: what was left open by whatever started this
 * process. Node.js opens none like that itself. On a system without /proc: none.
 */
export async function inheritedFiles(): Promise<number[]> {
  const numbers = (await readdir(FOLDER).catch(() => [])).map(Number);
  const passedOn = await Promise.all(numbers.map(isPassedOn));
  return numbers.filter((number, index) => number >= FIRST && passedOn[index]);
}

async function isPassedOn(number: number): Promise<boolean> {
  // One that was closed in the meantime is none.
  const info = await readFile(`${FOLDER}/${number}`, 'utf8').catch(() => '');
  const flags = /^flags:\s+([0-7]+)$/m.exec(info)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
}
