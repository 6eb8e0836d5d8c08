import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildPage } from '../../scripts/build-page.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Before any test: builds the page, unless it is newer than all that it is made of. */
export async function setup(): Promise<void> {
  const sources = globSync(['web/**/*.*', 'src/client/*.ts', 'package-lock.json'], { cwd: ROOT });
  const newest = Math.max(...sources.map((name) => statSync(join(ROOT, name)).mtimeMs));
  const built = statSync(join(ROOT, 'dist/web/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built < newest) await buildPage(join(ROOT, 'dist/web'));
}
