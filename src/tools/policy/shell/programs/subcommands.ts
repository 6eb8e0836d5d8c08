import { literal, type Word } from '../simple-command.ts';
import { isDangerousOption, type Options } from './options.ts';

/** A program with subcommands, and what of them a wildcard may stand for. */
interface Program {
  subcommands: ReadonlySet<string>;
  options: Options;
  /** Does what follows `--` belong to what it starts? */
  passesOn?: boolean;
}

function program(subcommands: string, options: Options, passesOn = false): Program {
  return { subcommands: new Set(subcommands.split(' ')), options, passesOn };
}

/** Every setting of npm is an option as well, so that only some are known to be harmless. */
const NPM: Options = {
  are: 'harmless',
  short: 'swDSOEg',
  valued: 'w',
  long: [
    'silent',
    'workspace',
    'workspaces',
    'if-present',
    'json',
    'depth',
    'all',
    'long',
    'omit',
    'include',
    'save-dev',
    'save-exact',
    'no-audit',
    'no-fund',
    'ignore-scripts',
    'legacy-peer-deps',
    'production',
    'version',
    'help',
    'filter',
    'recursive',
    'frozen-lockfile',
    'dry-run',
  ],
};
const NPM_COMMANDS =
  'test t tst run run-script start stop restart ls list ll la outdated view info show v why explain audit fund ping ' +
  'search whoami root prefix bin help install i ci add remove uninstall rm un update up upgrade dedupe prune rebuild pack ' +
  'doctor diff query licenses';
const DOCKER: Options = {
  are: 'dangerous',
  short: 'Hc',
  long: ['host', 'context', 'config', 'tlscacert', 'tlscert', 'tlskey', 'url', 'connection', 'identity'],
};
const DOCKER_COMMANDS = 'ps images logs inspect version info top stats port diff history events search';

const PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['npm', program(NPM_COMMANDS, NPM, true)],
  ['pnpm', program(NPM_COMMANDS, NPM, true)],
  ['yarn', program('test run start list info why audit outdated install add remove upgrade', NPM, true)],
  ['docker', program(DOCKER_COMMANDS, DOCKER)],
  ['podman', program(DOCKER_COMMANDS, DOCKER)],
  [
    'kubectl',
    program('get describe logs version top explain api-resources api-versions cluster-info', {
      are: 'dangerous',
      short: 's',
      long: ['kubeconfig', 'server', 'context', 'cluster', 'user', 'token', 'as', 'raw', 'cache-dir', 'profile-output'],
    }),
  ],
  [
    'cargo',
    program(
      'build b check c test t run r clippy fmt doc tree metadata version search bench clean update',
      {
        are: 'dangerous',
        short: 'CZ',
        long: ['config', 'manifest-path', 'target-dir', 'out-dir', 'artifact-dir', 'lockfile-path'],
      },
      true,
    ),
  ],
  [
    'gh',
    program('pr issue repo run release status search workflow label', {
      are: 'dangerous',
      short: 'weF',
      long: ['web', 'editor', 'template', 'body-file'],
    }),
  ],
]);

const GO_COMMANDS: ReadonlySet<string> = new Set('build test vet list doc version fmt run mod'.split(' '));
const GO_OPTIONS =
  /^--?(?:exec|toolexec|vettool|o|C|overlay|modfile|modcacherw|pkgdir|ldflags|gcflags|asmflags|gccgoflags|compiler|w|outputdir|(?:block|cpu|mem|mutex|cover)profile|trace)(?:=|$)/;

/** Subcommands and options that are not known to be harmless. @returns undefined: the program is none of these. */
export function subcommandDangers(name: string, words: readonly Word[]): number[] | undefined {
  if (name === 'go') return goDangers(words);
  const found = PROGRAMS.get(name);
  if (found === undefined) return undefined;
  const dangers: number[] = [];
  let hasCommand = false;
  for (const [at, word] of words.entries()) {
    if (at === 0) continue;
    if (found.passesOn && hasCommand && !word.isDynamic && word.text === '--') break;
    const isOption = word.text.startsWith('-');
    // The value of an option before the subcommand is taken for that: it has to be known as well.
    const isUnknown = !isOption && !hasCommand && (word.isDynamic || !found.subcommands.has(word.text));
    if (isUnknown || isDangerousOption(word, found.options)) dangers.push(at);
    hasCommand ||= !isOption;
  }
  return dangers;
}

/** One dash or two. */
function goDangers(words: readonly Word[]): number[] {
  const none: Options = { are: 'dangerous' };
  return [...words.entries()]
    .filter(([at, word = literal('')]) => {
      if (at === 0) return false;
      if (at === 1) return word.isDynamic || !(GO_COMMANDS.has(word.text) || /^-/.test(word.text));
      return isDangerousOption(word, none) || GO_OPTIONS.test(word.text);
    })
    .map(([at]) => at);
}
