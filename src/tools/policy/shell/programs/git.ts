import type { Word } from '../simple-command.ts';
import { isDangerousOption, type Options } from './options.ts';

/** Subcommands that a wildcard may stand for; not those that start what they are told, or change what git starts. */
const SUBCOMMANDS: ReadonlySet<string> = new Set(
  (
    'add am apply archive bisect blame branch cat-file check-attr check-ignore checkout cherry cherry-pick clean clone ' +
    'commit count-objects describe diff diff-files diff-index diff-tree fetch for-each-ref format-patch fsck gc grep ' +
    'hash-object init log ls-files ls-remote ls-tree merge merge-base mv name-rev notes prune pull push range-diff rebase ' +
    'reflog remote reset restore rev-list rev-parse revert rm shortlog show show-branch show-ref stash status submodule ' +
    'switch symbolic-ref tag var verify-commit verify-tag version whatchanged worktree'
  ).split(' '),
);

/** Options before the subcommand that change nothing but how it writes. */
const GLOBAL = /^(?:--no-pager|-P|--no-optional-locks|--literal-pathspecs|--no-replace-objects|--version|-v)$/;
const GLOBAL_WITH_VALUE = /^(?:-[cC]|--git-dir|--work-tree|--namespace|--super-prefix|--config-env|--attr-source)$/;

/** Of all subcommands together: a name that is dangerous in one is not worth a look in which. */
const LONG = [
  'output',
  'output-directory',
  'ext-diff',
  'upload-pack',
  'receive-pack',
  'exec',
  'exec-path',
  'open-files-in-pager',
  'extcmd',
  'tool',
  'template',
  'config',
  'config-env',
  'git-dir',
  'work-tree',
  'separate-git-dir',
  'strategy',
  'strategy-option',
  'interactive',
  'edit',
  'edit-description',
  'edit-todo',
  'paginate',
  'remote',
  'recurse-submodules',
  'server-option',
  'unsafe-paths',
  'build-fake-ancestor',
  'keep-index-file',
  'textconv',
  'help',
  'filters',
] as const;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['grep', 'O'],
  ['rebase', 'xisX'],
  ['clone', 'uc'],
  ['archive', 'o'],
  ['format-patch', 'o'],
  ['merge', 'sXe'],
  ['pull', 'sX'],
  ['cherry-pick', 'sXe'],
  ['revert', 'sXe'],
  ['add', 'ei'],
  ['commit', 'e'],
  ['tag', 'e'],
  ['am', 'i'],
  ['clean', 'i'],
  ['checkout', ''],
]);

/** First operands by which a subcommand starts what it is told, or has it started later. */
const OPERANDS: ReadonlyMap<string, RegExp> = new Map([
  ['bisect', /^(?:run|visualize|view)$/],
  ['submodule', /^(?!status$|summary$)/],
  ['notes', /^edit$/],
]);

/** All by which git starts something, is set up otherwise, writes to a file it is told or acts elsewhere. */
export function gitDangers(words: readonly Word[]): number[] {
  const dangers: number[] = [];
  let at = 1;
  for (let word = words[at]; word?.isDynamic === false && word.text.startsWith('-'); word = words[at]) {
    if (!GLOBAL.test(word.text)) dangers.push(at);
    if (GLOBAL_WITH_VALUE.test(word.text)) dangers.push(++at);
    at += 1;
  }
  const subcommand = words[at];
  if (subcommand === undefined) return dangers;
  if (subcommand.isDynamic || !SUBCOMMANDS.has(subcommand.text)) dangers.push(at);
  const options: Options = { are: 'dangerous', short: SHORT.get(subcommand.text) ?? '', long: LONG };
  let isFirst = true;
  for (at += 1; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    const isOperand = !word.text.startsWith('-');
    const operands = isOperand && isFirst ? OPERANDS.get(subcommand.text) : undefined;
    if (isDangerousOption(word, options) || isTransport(word) || operands?.test(word.text)) dangers.push(at);
    else if (operands !== undefined && word.isDynamic) dangers.push(at);
    if (isOperand) isFirst = false;
  }
  return dangers;
}

/** `ext::sh -c …` is an address by which git starts a program. */
function isTransport({ text }: Word): boolean {
  return text.includes('::') && /^[\w-]+::/.test(text);
}
