import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';

describe('compileGlob', () => {
  it.each([
    ['src/a.ts', ['src/a.ts'], ['src/a.tsx', 'xsrc/a.ts', 'src/A.ts', 'src', 'src/a']],
    ['*.ts', ['a.ts', '.ts', '.hidden.ts', '😀.ts', 'a\nb.ts'], ['src/a.ts', 'a.js', '.']],
    ['src/*', ['src/a', 'src/.env'], ['src', 'src/a/b', 'srcs/a']],
    ['src/**', ['src', 'src/a', 'src/.env', 'src/a/b/c'], ['srcs', 'source', 'a/src', '.']],
    ['**', ['.', 'a', 'a/b', '.git/config'], []],
    ['**/**', ['.', 'a', 'a/b'], []],
    ['*', ['a', '.env'], ['.', 'a/b']],
    ['**/*.ts', ['a.ts', 'b/a.ts', 'c/b/a.ts', '.x/.ts'], ['a.js', 'a.ts/b', '.']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'b', 'a/b/c', 'a']],
    ['a/**/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a', 'b']],
    ['**/a/**', ['a', 'x/a', 'x/a/y/z', 'a/b'], ['b', 'xa', 'ax/b']],
    ['a?c', ['abc', 'a😀c', 'a.c'], ['ac', 'a/c', 'abbc']],
    ['[abc].ts', ['a.ts', 'c.ts'], ['d.ts', '.ts', 'ab.ts']],
    ['[!a-c]', ['d', '-', '!', 'A'], ['a', 'b', '/', '.']],
    ['[^a-c]', ['d'], ['b']],
    ['[]-]', [']', '-'], ['a']],
    ['[a\\-c]', ['a', '-', 'c'], ['b']],
    ['[\\]x]', [']', 'x'], ['\\']],
    ['{a,b}.{ts,js}', ['a.ts', 'b.js'], ['c.ts', 'a.', '{a,b}.ts']],
    ['{src,test}/**', ['src', 'test/x'], ['lib/x']],
    ['{src/**,*.md}', ['src/x/y', 'src', 'a.md'], ['x/a.md']],
    ['a{,.b{c,d}}', ['a', 'a.bc', 'a.bd'], ['a.b']],
    ['a,b', ['a,b'], ['a', 'b']],
    ['\\*\\?\\[\\{\\}\\\\', ['*?[{}\\'], ['aa[{}\\']],
    ['.', ['.'], ['a', '..']],
    ['...', ['...'], ['abc']],
    ['é', ['é'], ['e\u0301', 'É']],
  ])('%s', (pattern, matching, others) => {
    const isMatch = compileGlob(pattern);
    expect(matching.filter((path) => !isMatch(path))).toEqual([]);
    expect(others.filter(isMatch)).toEqual([]);
    // What was found out before makes no difference.
    expect(matching.filter((path) => !isMatch(path))).toEqual([]);
  });

  it.each([
    ['', 'it is empty'],
    ['/etc', 'it must not begin with a slash'],
    ['./a', 'a part of it is ., which no path has'],
    ['a/./b', 'a part of it is ., which no path has'],
    ['../a', 'a part of it is .., which no path has'],
    ['a/{..,b}', 'a part of it is .., which no path has'],
    ['a/\\../b', 'a part of it is .., which no path has'],
    ['a//b', 'a name is empty'],
    ['src/', 'a name is empty'],
    ['{,a}/b', 'it must not begin with a slash'],
    ['a**', '** stands alone between slashes'],
    ['**.ts', '** stands alone between slashes'],
    ['***', '** stands alone between slashes'],
    ['[abc', 'a [ has no ]'],
    ['[a/b]', 'a [ has no ]'],
    ['[]', 'a [ has no ]'],
    ['[z-a]', 'the range z-a is the wrong way round'],
    ['{a,b', 'a { has no }'],
    ['a}', 'a } has no {'],
    ['a}{b}', 'a } has no {'],
    ['a\\', 'nothing follows the last backslash'],
    ['{a,b}'.repeat(7), 'its braces stand for more than 64 patterns'],
    [`{${'a,'.repeat(64)}}`, 'its braces stand for more than 64 patterns'],
    ['{a,b}'.repeat(150), 'its braces stand for more than 64 patterns'],
  ])('refuses %s', (pattern, message) => {
    expect(() => compileGlob(pattern)).toThrow(`${JSON.stringify(pattern)} is not a glob of paths: ${message}`);
  });

  it('refuses what is too long', () => {
    expect(() => compileGlob('a'.repeat(1001))).toThrow('A glob has at most 1000 characters');
  });

  // By backtracking, each would take longer than the universe has.
  it.each([
    ['*a'.repeat(30), 'a'.repeat(4000)],
    ['**/a/'.repeat(40).concat('b'), 'a/'.repeat(1500).concat('c')],
    ['{a,a*}'.repeat(6).concat('b'), 'a'.repeat(4000)],
    ['**/*a*/'.repeat(30).concat('**'), `${'aaaaaaaaaaaaaaaa/'.repeat(25)}b`],
    ['[ab]*?*'.repeat(60), 'ab'.repeat(2000).concat('/')],
  ])('is not held up by %.20s', (pattern, path) => {
    const isMatch = compileGlob(pattern);
    expect(typeof isMatch(path)).toBe('boolean');
  });

  it('agrees with a slow way to say the same', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', 'a*', '*b', '**', '[ab]', '[!a]', '*a*b');
    const name = fc.stringMatching(/^[abc]{1,4}$/);
    const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 5 });
    const check = (parts: string[], names: string[]): void => {
      expect(compileGlob(parts.join('/'))(names.join('/'))).toBe(matches(parts, names));
    };
    fc.assert(fc.property(list(part), list(name), check), { numRuns: 2000 });
  });
});

/** The same by its definition. */
function matches(parts: readonly string[], names: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return names.length === 0;
  if (part === '**')
    return Array.from({ length: names.length + 1 }, (_, skip) => names.slice(skip)).some((left) => matches(rest, left));
  const expression = part.replace('[!', '[^').replace(/[*?]/g, (wild) => (wild === '*' ? '.*' : '.'));
  return names.length > 0 && new RegExp(`^${expression}$`).test(names[0]!) && matches(rest, names.slice(1));
}
