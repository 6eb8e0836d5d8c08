import type { StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * Which files a program that is started gets: pipes, its own, and none of those that this process was given, so that it
 * cannot reach through them.
 * @param own numbers of open files, which it gets from 3 on.
 * @param hidden as `inheritedFiles` gives them.
 */
export function withOpenFiles<T>(
  own: readonly number[],
  hidden: readonly number[],
  start: (stdio: StdioOptions) => T,
): T {
  const nothing = openSync('/dev/null', 'r');
  try {
    const files: StdioOptions = ['pipe', 'pipe', 'pipe', ...own];
    for (let number = files.length; number <= Math.max(...hidden); number++)
      files[number] = hidden.includes(number) ? nothing : 'ignore';
    return start(files);
  } finally {
    closeSync(nothing);
  }
}
