import { isAssignment, isHarmlessAssignment } from './assignment.ts';
import type { Word } from './simple-command.ts';
import { Unclear } from './unclear.ts';

/** What a program starts. */
export interface Inner {
  commands: readonly { words: readonly Word[]; assignments?: readonly Word[] }[];
  /** Is the program itself a command that needs a rule? */
  stays: boolean;
  /** For a shell. */
  line?: string;
}

/** A program that starts the one that is named after its options. All others that it has are not known. */
interface Wrapper {
  /** Short options without a value, and with one. */
  flags?: string;
  valued?: string;
  longFlags?: readonly string[];
  longValued?: readonly string[];
  /** Words between the options and the program. */
  operands?: number;
  /** Does it take `NAME=value` before the program? */
  takesAssignments?: boolean;
  /** Does it change what the program may do, so that it needs a rule as well? */
  stays?: boolean;
  /** What other words may stand among its options. */
  also?: RegExp;
  /** Does it start a shell where no program is named? */
  isShell?: boolean;
}

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  [
    'env',
    {
      flags: 'i0',
      valued: 'u',
      longFlags: ['ignore-environment', 'null'],
      longValued: ['unset'],
      takesAssignments: true,
      also: /^-$/,
    },
  ],
  ['nice', { valued: 'n', longValued: ['adjustment'], also: /^-\d+$/ }],
  ['nohup', {}],
  [
    'timeout',
    {
      flags: 'v',
      valued: 'ks',
      longFlags: ['foreground', 'preserve-status', 'verbose'],
      longValued: ['kill-after', 'signal'],
      operands: 1,
    },
  ],
  ['time', { flags: 'p' }],
  ['stdbuf', { valued: 'ioe', longValued: ['input', 'output', 'error'] }],
  ['setsid', { flags: 'cfw', longFlags: ['ctty', 'fork', 'wait'] }],
  ['ionice', { flags: 't', valued: 'cn', longFlags: ['ignore'], longValued: ['class', 'classdata'] }],
  ['command', { flags: 'p' }],
  ['builtin', {}],
  ['exec', {}],
  ['busybox', {}],
  ['toybox', {}],
  ['sudo', { flags: 'AbBEHknPS', valued: 'CghpRrtTuD', takesAssignments: true, stays: true, isShell: true }],
  ['doas', { flags: 'n', valued: 'u', takesAssignments: true, stays: true, isShell: true }],
  [
    'chroot',
    { longFlags: ['skip-chdir'], longValued: ['groups', 'userspec'], operands: 1, stays: true, isShell: true },
  ],
  [
    'nsenter',
    {
      flags: 'aFZ',
      valued: 'tSG',
      longFlags: ['all', 'mount', 'uts', 'ipc', 'net', 'pid', 'user', 'cgroup'],
      longValued: ['target', 'setuid', 'setgid'],
      stays: true,
      isShell: true,
      also: /^-[muinpUC]+$/,
    },
  ],
  [
    'unshare',
    {
      flags: 'frmuinpUCTc',
      valued: 'SG',
      longFlags: [
        'fork',
        'map-root-user',
        'map-current-user',
        'mount',
        'uts',
        'ipc',
        'net',
        'pid',
        'user',
        'cgroup',
        'mount-proc',
      ],
      longValued: ['setuid', 'setgid'],
      stays: true,
      isShell: true,
    },
  ],
  [
    'setpriv',
    {
      longFlags: ['clear-groups', 'keep-groups', 'init-groups', 'nnp', 'no-new-privs', 'reset-env'],
      longValued: [
        'reuid',
        'regid',
        'ruid',
        'euid',
        'rgid',
        'egid',
        'groups',
        'inh-caps',
        'ambient-caps',
        'bounding-set',
        'securebits',
        'pdeathsig',
      ],
      stays: true,
      isShell: true,
    },
  ],
  ['strace', { flags: 'cCdfFqrtTvxyzZ', valued: 'esaP', stays: true, isShell: true }],
]);

const RESERVED =
  /^(?:[!{}]|\[\[|\]\]|if|then|else|elif|fi|do|done|case|esac|while|until|for|in|select|function|time|coproc)$/;

/** What is started by a wrapper; undefined: the program is none, or starts nothing. @throws Unclear */
export function unwrap(name: string, words: readonly Word[]): Inner | undefined {
  const wrapper = WRAPPERS.get(name);
  if (wrapper === undefined) return undefined;
  // They only say what a name means, or what they are.
  if (name === 'command' && /^-[vV]$/.test(words[1]?.text ?? '') && words[1]?.isDynamic === false) return undefined;
  if (words.length === 2 && /^--(version|help)$/.test(words[1]?.text ?? '') && name !== 'exec') return undefined;
  let at = afterOptions(name, words, wrapper);
  const assignments: Word[] = [];
  if (wrapper.takesAssignments)
    for (let word = words[at]; word?.text.includes('='); word = words[at]) {
      if (word.becomes !== undefined && word.becomes !== 'one')
        throw new Unclear(`${name} is given a value without quotes`);
      if (!isHarmlessAssignment(word)) assignments.push(word);
      at += 1;
    }
  const inner = words.slice(at);
  const [first] = inner;
  if (first === undefined) {
    if (wrapper.isShell) throw new Unclear(`${name} starts a shell`);
    return undefined;
  }
  if (first.isDynamic) throw new Unclear(`what ${name} starts is known only when it runs`);
  // bash knows `time` as a word of its own.
  if (name === 'time' && (RESERVED.test(first.text) || isAssignment(first) || first.text.startsWith('-')))
    throw new Unclear(`${first.text} follows time`);
  return { commands: [{ words: inner, assignments }], stays: wrapper.stays ?? false };
}

/** Where the words begin that are neither options nor the wrapper's own. */
function afterOptions(name: string, words: readonly Word[], wrapper: Wrapper): number {
  let at = 1;
  for (let word = words[at]; word !== undefined; word = words[at]) {
    if (!word.text.startsWith('-') || word.isDynamic) break;
    at += 1;
    if (word.text === '--') break;
    if (wrapper.also?.test(word.text)) continue;
    const value = word.text.startsWith('--') ? longValue(word.text, wrapper) : shortValue(word.text, wrapper);
    if (value === 'unknown') throw new Unclear(`${name} has the option ${word.text}, which is not known`);
    if (value === 'own') continue;
    const given = words[at];
    if (given?.isDynamic && given.becomes !== 'one')
      throw new Unclear(`an option of ${name} is known only when it runs`);
    at += 1;
  }
  for (let left = wrapper.operands ?? 0; left > 0; left -= 1) {
    if (words[at]?.isDynamic) throw new Unclear(`what ${name} starts is known only when it runs`);
    at += 1;
  }
  return at;
}

/** Is an option's value in the word itself (or has it none), or in the next one? */
function longValue(word: string, { longFlags, longValued }: Wrapper): 'own' | 'next' | 'unknown' {
  const [, name = '', sign] = /^--([a-z-]+)(=?)/.exec(word) ?? [];
  if (longFlags?.includes(name) && sign === '' && word === `--${name}`) return 'own';
  if (!longValued?.includes(name)) return 'unknown';
  if (sign === '=') return 'own';
  return word === `--${name}` ? 'next' : 'unknown';
}

function shortValue(word: string, { flags = '', valued = '' }: Wrapper): 'own' | 'next' | 'unknown' {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    if (valued.includes(letter)) return at === word.length - 1 ? 'next' : 'own';
    if (!flags.includes(letter)) return 'unknown';
  }
  return word.length > 1 ? 'own' : 'unknown';
}
