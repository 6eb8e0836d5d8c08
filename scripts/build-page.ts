import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { licences } from './licences.ts';

const ROOT = join(import.meta.dirname, '..');

/** Builds the page into a folder, each file also compressed beside itself, so that serving it costs nothing. */
export async function buildPage(folder: string): Promise<void> {
  const outDir = resolve(folder);
  // React and its plugin go by it, and a test runner has set it to something else.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  await build({
    root: join(ROOT, 'web'),
    configFile: join(ROOT, 'web/vite.config.ts'),
    logLevel: 'warn',
    plugins: [licences()],
    build: { outDir },
  });
  if (before === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = before;
  for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
    if (!['.html', '.js', '.css', '.svg'].includes(extname(name))) continue;
    const file = join(outDir, name);
    const content = readFileSync(file);
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
    writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}
