import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Lets the person edit a text in a program of theirs, which gets the terminal; whoever calls has let go of it.
 * @param program a command line, such as `code --wait`, as git takes it.
 * @param name of the file that is edited.
 * @returns what became of it; undefined if the program failed or could not be started.
 */
export async function editInProgram(program: string, name: string, text: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-edit-'));
  // Ctrl+C there is for the program.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    // Not waited for in this thread: a server in this process has runs to keep.
    const child = spawn('/bin/sh', ['-c', `${program} "$1"`, 'sh', file], { stdio: 'inherit' });
    const code = await new Promise<number | null>((resolve) => {
      child.on('error', () => resolve(null));
      child.on('close', resolve);
    });
    return code === 0 ? readFileSync(file, 'utf8') : undefined;
  } finally {
    process.off('SIGINT', ignore);
    rmSync(folder, { recursive: true, force: true });
  }
}
