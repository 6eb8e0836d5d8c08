// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what shells read
import { describe, expect, it, vi } from 'vitest';
import { compileCommand } from '../command-pattern.ts';
import { readCommandLine } from './command-line.ts';
import type { SimpleCommand, Word } from './simple-command.ts';

/** Commands as text; of a dynamic word what is certain, and what it becomes. */
function read(line: string): string[] {
  const { commands, problem } = readCommandLine(line);
  return problem === undefined ? commands.map(textOf) : [`problem: ${problem}`];
}

function textOf({ words, assignments = [], opensFile }: SimpleCommand): string {
  const all = [...assignments.map((word) => `${textOfWord(word)};`), ...words.map(textOfWord)];
  return [...all, ...(opensFile ? ['>'] : [])].join(' ');
}

function textOfWord({ text, isDynamic, becomes }: Word): string {
  return isDynamic ? `<${text}|${becomes}>` : text;
}

describe('words', () => {
  it.each([
    ['a \'b c\' "d e" f\\ g', 'a|b c|d e|f g'],
    ["a ''", 'a|'],
    ['a "\\$x \\a \\\\"', 'a|$x \\a \\'],
    ['a \'b\'"c"d', 'a|bcd'],
    ['a "$x" b$x "b$x"', 'a|<|one>|<b|anything>|<b|one>'],
    ['a "$@" "$*"', 'a|<|anything>|<|one>'],
    ['a *.ts src/*.ts [ab] a?', 'a|<|several>|<src/|several>|<|several>|<a|several>'],
    ['a x{b,c} {1..3} {} {x} @{0}', 'a|<x|several>|<|several>|{}|{x}|@{0}'],
    ['a "{b,c}" "*" \\* "~"', 'a|{b,c}|*|*|~'],
    ['a ~ ~/x x~ y=~', 'a|<~|one>|<~|one>|x~|<y=|one>'],
    ['a $(b) "$(b)" `b`', 'a|<|anything>|<|one>|<|anything>'],
    ['a $((1+2))', 'a|<|anything>'],
    ['a b$', 'a|b$'],
    ['a "b$"', 'a|b$'],
    ['a b#c', 'a|b#c'],
    ['a [', 'a|['],
    ['a \\\n b', 'a|b'],
  ])('of %j are %s', (line, expected) => {
    const last = readCommandLine(line).commands.at(-1);
    expect(last?.words.map(textOfWord).join('|')).toBe(expected);
  });
});

describe('what is started', () => {
  it.each([
    ['a | b && c || d; e & f\ng', 'a, b, c, d, e, f, g'],
    ['(a; { b; }) | ! c', 'a, b, c'],
    ['if a; then b; elif c; then d; else e; fi', 'a, b, c, d, e'],
    ['while a; do b; done; until c; do d; done', 'a, b, c, d'],
    ['for i in $(a) `b`; do c "$i"; done', 'a, b, c <|one>'],
    ['a "$(b "$(c)")" ${x:-$(d)} <(e)', 'c, b <|one>, d, e, a <|one> <|anything> </|one>'],
    ['x=$(a) b', 'a, <x=|anything>; b'],
    ['a > $(b)', 'b, a >'],
    ['a <<E\n$(b) `c` ${x:-$(d)}\nE\ne', 'a, b, c, d, e'],
    ["a <<'E'\n$(b)\nE\ne", 'a, e'],
    ['a <<-E\n\tx\n\tE\ne', 'a, e'],
    ['(a) > x', 'a, >'],
    ['x=1', 'x=1;'],
    ['LANG=C a; TZ=UTC b', 'a, b'],
    ['LANG=C', 'LANG=C;'],
    ['A=1 LANG=C B=2 a', 'A=1; B=2; a'],
    ['# a', ''],
    ['', ''],
    ['a 2>&1 >/dev/null </dev/null 2>&-', 'a'],
    ['a >x', 'a >'],
    ['a <>x', 'a >'],
    ['a </dev/tcp/x/1', 'a >'],
    ['a &>/dev/null', 'a'],
  ])('by %j is %s', (line, expected) => {
    expect(read(line).join(', ')).toBe(expected);
  });

  it.each([
    ['timeout -s 9 -k1 --foreground 5 a', 'a'],
    ['nice -n 5 nohup setsid -w stdbuf -oL -e 0 a', 'a'],
    ['env -i -u X LC_ALL=C A=1 "B=$x" a', 'A=1; <B=|one>; a'],
    ['A=1 nice a', 'A=1; a'],
    ['nice a > x', 'a >'],
    ['/x/nice a', '/x/nice a, a'],
    ['env', 'env'],
    ['command -v a', 'command -v a'],
    ['exec > x', 'exec >'],
    ['busybox a b', 'a b'],
    ['sudo -u x A=1 a', 'sudo -u x A=1 a, A=1; a'],
    ['xargs -0 -n1 a b', 'xargs -0 -n1 a b, a b <|anything>'],
    ['xargs -I % a b% %', 'xargs -I % a b% %, a <b|one> <|one>'],
    ['xargs', 'xargs'],
    ['find . -exec b x{} + c {} \\;', 'find . -exec b x{} + c {} ;, b <x|one> + c <.|several>'],
    ['find . -exec b x{} +', 'problem: -exec of find has no end'],
    [
      'find src -exec a {} + -execdir b x{} {} \\;',
      'find src -exec a {} + -execdir b x{} {} ;, a <s|several>, b <x|one> <./|several>',
    ],
    ['find -exec a {} +', 'find -exec a {} +, a <.|several>'],
    ['find / src -exec a {} +', 'find / src -exec a {} +, a <|several>'],
    ["sh -c 'a; b' c", 'a, b'],
    ["sh -e -c 'a'", 'a'],
    ["/bin/sh -c 'a'", '/bin/sh -c a, a'],
    ['sh a.sh', 'sh a.sh'],
    ["eval a 'b; c'", 'a b, c'],
    ['nice sh -c "env A=1 sh -c \'a > x\'"', 'A=1; a >'],
  ])('by %j, without wrappers, is %s', (line, expected) => {
    expect(read(line).join(', ')).toBe(expected);
  });

  it('has what its wrappers were', () => {
    const [command] = readCommandLine("nice sh -c 'timeout 5 a'").commands;
    expect(command?.startedBy?.map(textOf)).toEqual(['nice sh -c timeout 5 a', 'sh -c timeout 5 a', 'timeout 5 a']);
  });

  it('is still what was found where something cannot be read', () => {
    const { commands, problem } = readCommandLine('a; sh -c "b; \'"; env -S c; d; e (');
    expect(commands.map(textOf)).toEqual(['a', 'b', 'env -S c', 'd', 'e']);
    expect(problem).toBeDefined();
  });

  it.each([
    ['f() { a; }', 'defines a function'],
    ["a $'b'", "$'"],
    ['a $"b"', '$"'],
    ['$x a', 'name of a program'],
    ['nice $x a', 'what nice starts'],
    ['nice -n$x a', 'what nice starts'],
    ['xargs -I{} {} a', 'name of a program'],
    ['find . -exec {} +', 'starts what it finds'],
    ['case a in a) b;; esac', 'case'],
    ['. a', 'in the shell itself'],
    ['watch a', 'not read'],
    ['zsh -c a', 'another shell'],
    ['a | sh', 'given to read'],
    ['a <<E', 'no end'],
    ['a ${b/c/d}', '${'],
    ['a `\\b`', 'backslash in backquotes'],
  ])('of %j is not certain, and why is said', (line, why) => {
    expect(readCommandLine(line).problem).toContain(why);
  });

  it('is not told of characters that cannot be seen', () => {
    expect(read('a\0b')).toEqual(['problem: it has the character U+0000']);
    expect(read('a\u00a0b')).toEqual(['problem: it has the character U+00A0']);
    expect(read('a \ud800')).toEqual(['problem: it has the character U+D800']);
  });
});

const HOSTILE = {
  'a long line': (n: number) => 'a'.repeat(n * 10),
  'a long word': (n: number) => `a ${'b'.repeat(n)}`,
  parentheses: (n: number) => '( '.repeat(n),
  braces: (n: number) => '{ '.repeat(n),
  'braces in a word': (n: number) => '{a,'.repeat(n),
  substitutions: (n: number) => '$('.repeat(n),
  'quoted substitutions': (n: number) => '"$('.repeat(n),
  defaults: (n: number) => '${x:-'.repeat(n),
  backquotes: (n: number) => '`'.repeat(n),
  'single quotes': (n: number) => "'".repeat(n + 1),
  'double quotes': (n: number) => '"'.repeat(n + 1),
  'exclamation marks': (n: number) => '! '.repeat(n),
  ifs: (n: number) => 'if '.repeat(n),
  commands: (n: number) => 'a;'.repeat(n),
  words: (n: number) => 'a '.repeat(n),
  variables: (n: number) => `a ${'$x '.repeat(n)}`,
  'quoted variables for find': (n: number) => `find ${'"$x" '.repeat(n)}`,
  executions: (n: number) => `find ${'-exec a \\; '.repeat(n / 4)}`,
  'executions without an end': (n: number) => `find ${'-exec '.repeat(n)}`,
  wrappers: (n: number) => 'nice '.repeat(n),
  assignments: (n: number) => `env ${'a=1 '.repeat(n)} a`,
  'signs in a word': (n: number) => `${'a'.repeat(n)}${'='.repeat(n)}`,
  tildes: (n: number) => `a ${'~'.repeat(n)}`,
  globs: (n: number) => `a ${'*'.repeat(n)}`,
  evals: (n: number) => 'eval '.repeat(n),
  'here-documents': (n: number) => `a ${'<<A '.repeat(n / 4)}\n${'A\n'.repeat(n / 4)}`,
  'a here-document': (n: number) => `a <<A\n${'$x '.repeat(n)}\nA`,
  'dollars in a here-document': (n: number) => `a <<A\n${'$\n'.repeat(n)}A`,
  'lines that go on': (n: number) => '\\\n'.repeat(n),
  comments: (n: number) => '#\n'.repeat(n),
  redirections: (n: number) => `a ${'>&2 '.repeat(n)}`,
  processes: (n: number) => '<('.repeat(n),
} as const;

/** What reading and deciding take: expressions that are matched, and pieces that are cut. */
function workFor(line: string): number {
  const exec = vi.spyOn(RegExp.prototype, 'exec');
  const test = vi.spyOn(RegExp.prototype, 'test');
  const slice = vi.spyOn(Array.prototype, 'slice');
  try {
    const patterns = ['a *', 'find *', 'git log *x*y* *'].map(compileCommand);
    const { commands } = readCommandLine(line);
    for (const command of commands) for (const one of patterns) [one.covers(command), one.mentions(command)];
    return exec.mock.calls.length + test.mock.calls.length + slice.mock.calls.length;
  } finally {
    vi.restoreAllMocks();
  }
}

describe('a hostile line', () => {
  const kinds = Object.entries(HOSTILE);

  it.each(kinds)('of %s is read, or has a problem', (_, make) => {
    expect(() => readCommandLine(make(10_000))).not.toThrow();
  });

  it.each(kinds)('of %s takes work in proportion to its length', (_, make) => {
    workFor(make(10));
    const few = workFor(make(600));
    expect(workFor(make(2400))).toBeLessThanOrEqual(few * 4.5 + 200);
  });

  it('that is too long, or too deep, has a problem', () => {
    expect(read('a'.repeat(100_000))).toEqual(['problem: it is longer than 40000 characters']);
    for (const text of ['( ', '{ ', '$(', '"$(', '${x:-', 'if ', '<('])
      expect(read(text.repeat(5000))).toEqual(['problem: it is nested too deeply']);
    let nested = 'a';
    for (let depth = 0; depth < 4; depth += 1) nested = `sh -c '${nested.replaceAll("'", `'"'"'`)}'`;
    expect(read(nested)).toEqual(['a']);
    expect(read('eval '.repeat(20))).toEqual(['problem: too many wrappers are in each other']);
    expect(read(`${'nice '.repeat(20)}a`)).toEqual(['problem: too many wrappers are in each other']);
    expect(read('a;'.repeat(2000))).toEqual(['problem: it has too many commands']);
  });
});
