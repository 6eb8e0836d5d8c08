import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../../test/tools/rig.ts';
import { parseIgnoreRules } from './ignore-rules.ts';

/** Files and, with a slash, folders. */
const PATHS =
  'a.log b.log keep.log src/ src/a.log src/a.ts build/ build/x src/build/ src/build/x TODO src/TODO doc/ doc/a.txt doc/b/ ' +
  'doc/b/a.txt doc/b/a.pdf a*b axb {x} #a !a [a] \\a foo foo.txt';

const RULES = [
  '*.log\n!keep.log',
  '!keep.log\n*.log',
  'build/',
  '/TODO\n# a comment\n\n',
  'doc/**/*.pdf\ndoc/*.txt',
  'doc/**',
  'doc/**\n!doc/b/',
  '**/build',
  'src/**/x',
  '/*\n!/src',
  'a\\*b\n\\#a\n\\!a',
  '{x}\n[[]a]\n\\\\a',
  'foo \nfoo.txt\\ ',
  'f**o\n[a-b].log',
  'TODO/\nsrc/a.*\r',
  '/',
  '[',
  'a?b',
];

describe('parseIgnoreRules', () => {
  it.each(RULES)('says what git says of %j', (rules) => {
    const folder = testFolder();
    execFileSync('git', ['init', '--quiet'], { cwd: folder });
    const paths = PATHS.split(' ');
    for (const path of paths)
      if (path.endsWith('/')) mkdirSync(join(folder, path), { recursive: true });
      else writeFileSync(join(folder, path), '');
    writeFileSync(join(folder, '.gitignore'), rules);
    // Each path by itself, whatever becomes of the folders above it; so without those that lie in an ignored one.
    const own = parseIgnoreRules(rules);
    const ignores = (path: string): boolean => own.ignores(path.replace(/\/$/, ''), path.endsWith('/')) === true;
    const above = (path: string): string[] => {
      const parts = path.replace(/\/$/, '').split('/').slice(0, -1);
      return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
    };
    const ignored = paths.filter((path) => [...above(path), path].some(ignores));
    expect(ignored.map((path) => path.replace(/\/$/, ''))).toEqual(ignoredByGit(folder, paths));
  });

  it('takes a file of nonsense', () => {
    const rules = parseIgnoreRules(`${'[\n{\n\\\n!\n'.repeat(100)}${'*a'.repeat(400)}\n${'x\n'.repeat(100_000)}`);
    expect(rules.ignores('a'.repeat(200), false)).toBeUndefined();
    expect(rules.ignores('x', false)).toBe(true);
  });
});

function ignoredByGit(folder: string, paths: readonly string[]): string[] {
  try {
    // With a slash git would take a folder for what is in it.
    const input = paths.map((path) => path.replace(/\/$/, '')).join('\0');
    const output = execFileSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], { cwd: folder, input });
    return output
      .toString()
      .split('\0')
      .filter((path) => path !== '');
  } catch (error) {
    // 1: none is ignored.
    if (error instanceof Error && 'status' in error && error.status === 1) return [];
    throw error;
  }
}
