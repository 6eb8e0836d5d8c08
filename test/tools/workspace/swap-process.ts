import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Stands for somebody who has a part in the workspace, and swaps there a file and a folder for links to what is outside
// as fast as it goes, until it is ended, or whoever started it is gone.

const parent = process.ppid;
const [, , workspace = '', outside = ''] = process.argv;
const at = (name: string): string => join(workspace, name);
mkdirSync(at('folder'));
writeFileSync(at('folder/secret'), 'inside\n');

process.stdout.write('swapping\n');
while (process.ppid === parent) {
  symlinkSync(join(outside, 'secret'), at('.swap'));
  renameSync(at('.swap'), at('file'));
  again(
    () => renameSync(at('folder'), at('.aside')),
    () => rmSync(at('.aside'), { recursive: true, force: true }),
  );
  again(() => symlinkSync(outside, at('folder')), clear);
  writeFileSync(at('.swap'), 'inside\n');
  renameSync(at('.swap'), at('file'));
  unlinkSync(at('folder'));
  again(() => renameSync(at('.aside'), at('folder')), clear);
  again(
    () => rmSync(at('folder/new'), { recursive: true, force: true }),
    () => undefined,
  );
}

/** Until it is done: whoever writes may have made the folder again meanwhile, or a file in it. */
function again(step: () => void, mend: () => void): void {
  for (;;) {
    try {
      step();
      return;
    } catch {
      mend();
    }
  }
}

function clear(): void {
  again(
    () => rmSync(at('folder'), { recursive: true, force: true }),
    () => undefined,
  );
}
