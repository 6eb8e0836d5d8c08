import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toolContext } from '../../../test/tools/rig.ts';
import { countHandles, grantOf } from '../../../test/tools/workspace/rig.ts';
import type { ToolContext } from '../tool.ts';
import { searchFiles } from './search-files.ts';

function withFiles(files: Record<string, string>, given: Partial<ToolContext> = {}) {
  const context = toolContext(given);
  for (const [path, content] of Object.entries(files)) {
    const file = join(context.workspace, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return context;
}

const names = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, '']));

async function search(context: ToolContext, pattern: string, path?: string) {
  const { text, isError } = await searchFiles.run({ pattern, ...(path === undefined ? {} : { path }) }, context);
  expect(isError).toBe(false);
  return text.split('\n');
}

describe('search_files', () => {
  it('finds by the path, in order, hidden files and links too', async () => {
    const context = withFiles(
      names('b.ts', 'src/b/x.ts', 'src/a.ts', 'src/a.json', '.hidden/c.ts', 'a b.ts', 'new\nline.ts'),
    );
    symlinkSync('/etc', join(context.workspace, 'src/out.ts'));
    expect(await search(context, '**/*.ts')).toEqual([
      '.hidden/c.ts',
      'a b.ts',
      'b.ts',
      '"new\\nline.ts"',
      'src/a.ts',
      'src/b/x.ts',
      'src/out.ts',
    ]);
    expect(await search(context, '*.ts')).toEqual(['a b.ts', 'b.ts', '"new\\nline.ts"']);
    expect(await search(context, 'src/*.{ts,json}')).toEqual(['src/a.json', 'src/a.ts', 'src/out.ts']);
    expect(await search(context, '*.{ts,json}', 'src')).toEqual(['src/a.json', 'src/a.ts', 'src/out.ts']);
    expect(await search(context, '*.js')).toEqual(['(no file matches)']);
  });

  it('leaves out what .gitignore files do, also those above, and .git and node_modules', async () => {
    const context = withFiles({
      ...names('a.log', 'keep.log', 'src/a.log', 'src/x.log', 'src/a.ts', 'dist/a.js', 'src/gen/a.ts', '.git/config'),
      ...names('node_modules/x/i.js', 'src/node_modules/y/i.js', 'src/in/a.ts'),
      '.gitignore': '*.log\n!keep.log\ndist/\n',
      'src/.gitignore': '!x.log\n/gen\n/in/*.ts\n',
    });
    const shown = ['.gitignore', 'keep.log', 'src/.gitignore', 'src/a.ts', 'src/x.log'];
    expect(await search(context, '**')).toEqual(shown);
    expect(await search(context, '**', 'src')).toEqual(['src/.gitignore', 'src/a.ts', 'src/x.log']);
    expect(await search(context, '**', 'src/in')).toEqual(['(no file matches)']);
    expect(await search(context, 'dist/*')).toEqual(['dist/a.js']);
    expect(await search(context, '**/node_modules/**')).toEqual(['node_modules/x/i.js', 'src/node_modules/y/i.js']);
    expect(await search(context, '**', 'node_modules')).toEqual(['node_modules/x/i.js']);
    expect(await search(context, '.git/*')).toEqual(['.git/config']);
  });

  it('names secret files, and neither what a rule hides nor what is in there', async () => {
    const grant = grantOf({ hidesPath: (path) => path === 'private' || path === 'src/b' || path.endsWith('/no') });
    const context = withFiles(names('.env', 'private/a', 'src/b', 'src/c', 'src/d/no'), { grant });
    expect(await search(context, '**')).toEqual(['.env', 'src/c']);
  });

  it('is bounded', async () => {
    const context = withFiles(names(...Array.from({ length: 503 }, (_, number) => `f${number + 1000}`)));
    const lines = await search(context, '**');
    expect([lines.length, lines[499], lines[500]]).toEqual([
      501,
      'f1499',
      '[only the first 500; a narrower glob or path shows the others]',
    ]);
  });

  it('is bounded by what can be read at once', async () => {
    const context = withFiles(
      names(...Array.from({ length: 130 }, (_, number) => `${number + 100}${'x'.repeat(250)}`)),
    );
    const lines = await search(context, '**');
    expect([lines.length, lines.at(-1)]).toEqual([
      100,
      '[only the first 99; a narrower glob or path shows the others]',
    ]);
  });

  it('goes only so deep', async () => {
    const context = toolContext();
    const deep = Array.from({ length: 120 }, () => 'd').join('/');
    mkdirSync(join(context.workspace, deep), { recursive: true });
    writeFileSync(join(context.workspace, deep, 'a'), '');
    writeFileSync(join(context.workspace, 'd/a'), '');
    expect(await search(context, '**')).toEqual(['d/a', '[folders deeper than 100 were left out]']);
  });

  it.each([
    [{ pattern: '../*' }, '"../*" is not a glob of paths: a part of it is .., which no path has'],
    [{ pattern: '/etc/*' }, 'it must not begin with a slash'],
    [{ pattern: '**', path: '..' }, '".." is outside the workspace'],
    [{ pattern: '**', path: 'none' }, 'Path "none" not found'],
    [{ pattern: '**', path: 'file' }, '"file" is not a folder'],
    [{ pattern: '**', path: 'ruled' }, 'A rule keeps "ruled" from this tool'],
    [{ pattern: '' }, 'The arguments do not fit: pattern: '],
  ])('of %j says %s', async (given, text) => {
    const context = withFiles(names('file', 'ruled/a'), { grant: grantOf({ hidesPath: (path) => path === 'ruled' }) });
    const handles = countHandles();
    expect(await searchFiles.run(given, context)).toEqual({ text: expect.stringContaining(text), isError: true });
    expect(countHandles()).toBe(handles);
  });

  it('shows files of the same folder in one order, whenever they were changed', async () => {
    const context = withFiles(names('b', 'a', 'c'));
    utimesSync(join(context.workspace, 'b'), 1, 1);
    expect(await search(context, '*')).toEqual(['a', 'b', 'c']);
  });

  it('has no more open than the folders that it is in', async () => {
    let most = 0;
    const hidesPath = () => {
      most = Math.max(most, countHandles());
      return false;
    };
    const many = Array.from({ length: 60 }, (_, number) => [`a/f${number}/x`, `f${number}/.gitignore`]).flat();
    const context = withFiles(names(...many), { grant: grantOf({ hidesPath }) });
    const handles = countHandles();
    await search(context, '**');
    expect(most - handles).toBeLessThan(10);
  });

  it('throws why it was aborted, with all closed', async () => {
    const stopped = new AbortController();
    const grant = grantOf({
      hidesPath: (path) => {
        if (path === 'a/b/c') stopped.abort(new Error('enough'));
        return false;
      },
    });
    const context = withFiles(names('a/b/c', 'a/b/d'), { signal: stopped.signal, grant });
    const handles = countHandles();
    await expect(searchFiles.run({ pattern: '**' }, context)).rejects.toThrow('enough');
    expect(countHandles()).toBe(handles);
  });
});
