import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');
const ENTRY = 'src/client/package.ts';

/** Builds `profclaw/client` into a folder: `client.js`, which imports nothing, and `client.d.ts`, which neither does. */
export async function buildClient(folder: string): Promise<void> {
  await build({
    input: { client: join(ROOT, ENTRY) },
    platform: 'neutral',
    resolve: { mainFields: ['module', 'main'] },
    output: { dir: folder, format: 'esm', entryFileNames: '[name].js', minify: { compress: true, mangle: false } },
    logLevel: 'warn',
  });
  writeFileSync(join(folder, 'client.d.ts'), declarations());
}

/** What the entry gives, of the declarations of all of `src/client/` that it needs, as one module. */
function declarations(): string {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-declarations-'));
  try {
    emit(folder);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'));
    const texts = names
      .toSorted()
      .filter((name) => !name.endsWith('package.d.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll(/^(import|export \{).*;\n/gm, ''))
      .map((text) => text.replaceAll(/^export (declare )?/gm, 'declare '));
    const entry = names.find((name) => name.endsWith('package.d.ts')) ?? '';
    const given = readFileSync(join(folder, entry), 'utf8').replaceAll(/ from '[^']*'/g, '');
    // Half of what it prints is indents.
    return [...texts, given].join('\n').replaceAll('    ', '\t');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function emit(folder: string): void {
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
  const config = join(folder, 'tsconfig.json');
  const emitting = { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: join(ROOT, 'src') };
  const typeRoots = [join(ROOT, 'node_modules/@types')];
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: { ...compilerOptions, ...emitting, typeRoots, outDir: folder },
      files: [join(ROOT, ENTRY)],
    }),
  );
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', config], { stdio: ['ignore', 'inherit', 'inherit'] });
}
