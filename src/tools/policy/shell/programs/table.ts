import type { Word } from '../simple-command.ts';
import { isCertain, type Options } from './options.ts';

function without(short: string, valued: string, ...long: string[]): Options {
  return { are: 'dangerous', short, valued, long };
}

function only(short: string, valued: string, ...long: string[]): Options {
  return { are: 'harmless', short, valued, long };
}

/**
 * By what options programs start others, read code, write files that are not their job, or act elsewhere; of those with
 * many of them, the harmless ones.
 */
export const OPTIONS: ReadonlyMap<string, Options> = new Map<string, Options>([
  ['tar', tar()],
  ['gtar', tar()],
  ['bsdtar', tar()],
  ['sort', without('oT', 'ktS', 'output', 'compress-program', 'temporary-directory', 'files0-from')],
  ['gsort', without('oT', 'ktS', 'output', 'compress-program', 'temporary-directory', 'files0-from')],
  ['shuf', without('o', 'inn', 'output', 'random-source')],
  ['uniq', without('', 'fsw')],
  ['read', without('', '')],
  ['xxd', without('r', 'clgso')],
  ['rg', without('z', 'ABCEMTdefgjmrt', 'pre', 'hostname-bin', 'search-zip')],
  ['ag', without('z', 'ABCGm', 'pager', 'search-zip')],
  ['ack', without('', 'ABCm', 'pager', 'ackrc', 'output')],
  ['fd', without('xXlC', 'deEtSocj', 'exec', 'exec-batch', 'list-details', 'base-directory')],
  ['fdfind', without('xXlC', 'deEtSocj', 'exec', 'exec-batch', 'list-details', 'base-directory')],
  ['tree', without('oR', 'LPI', 'output')],
  ['file', without('Cmzf', 'eFP', 'compile', 'magic-file', 'uncompress', 'uncompress-noreport', 'files-from')],
  ['date', without('sf', 'dr', 'set', 'file')],
  ['hostname', without('Fb', '', 'file', 'boot')],
  ['dd', without('', '')],
  ['split', without('', 'abClnt', 'filter')],
  ['csplit', without('', 'bfn')],
  ['iconv', without('o', 'ft', 'output')],
  ['diff', without('l', 'CUIxXSFWD', 'paginate')],
  ['diff3', without('', '', 'diff-program')],
  ['sdiff', without('o', '', 'output', 'diff-program')],
  ['patch', without('odrBe', 'pFiYz', 'output', 'directory', 'reject-file', 'ed', 'prefix')],
  ['zip', without('TOb', '', 'unzip-command', 'test', 'out', 'output-file', 'temp-path', 'TT')],
  ['unzip', without('d', 'P')],
  ['zstd', without('oDM', '', 'output-dir-flat', 'output-dir-mirror', 'filelist', 'patch-from')],
  ['xz', without('', 'STM', 'files', 'files0')],
  ['install', without('D', 'gmoS', 'strip-program')],
  ['make', make()],
  ['gmake', make()],
  [
    'curl',
    only(
      'sSLfiIvgN46#',
      'mHAXr',
      'silent',
      'show-error',
      'location',
      'fail',
      'fail-with-body',
      'include',
      'head',
      'verbose',
      'max-time',
      'header',
      'user-agent',
      'request',
      'retry',
      'connect-timeout',
      'compressed',
      'http1.1',
      'http2',
      'range',
      'progress-bar',
      'no-progress-meter',
      'version',
      'help',
    ),
  ],
  ['jq', without('fL', '', 'from-file', 'library-path')],
  [
    'eslint',
    without(
      'cofr',
      '',
      'config',
      'output-file',
      'format',
      'parser',
      'plugin',
      'rulesdir',
      'resolve-plugins-relative-to',
      'cache-location',
      'cache-file',
    ),
  ],
  ['prettier', without('', '', 'config', 'plugin', 'plugin-search-dir', 'cache-location')],
  ['tsc', only('hvw', '', 'noEmit', 'help', 'version', 'pretty', 'strict', 'skipLibCheck', 'listFiles', 'watch')],
  [
    'pytest',
    only(
      'vqxslhk',
      'm',
      'verbose',
      'quiet',
      'exitfirst',
      'maxfail',
      'lf',
      'ff',
      'tb',
      'co',
      'collect-only',
      'durations',
      'color',
      'version',
      'help',
    ),
  ],
  [
    'jest',
    without(
      'cg',
      '',
      'config',
      'globalSetup',
      'globalTeardown',
      'setupFiles',
      'setupFilesAfterEnv',
      'testRunner',
      'runner',
      'reporters',
      'transform',
      'resolver',
      'rootDir',
      'roots',
      'preset',
      'testEnvironment',
      'environment',
      'haste',
      'coverageDirectory',
      'outputFile',
      'cacheDirectory',
      'prettierPath',
      'snapshotSerializers',
      'testResultsProcessor',
      'testSequencer',
      'moduleNameMapper',
      'filter',
      'watchPlugins',
      'projects',
    ),
  ],
  ['vitest', only('tuh', '', 'run', 'watch', 'coverage', 'bail', 'silent', 'help', 'version', 'changed', 'ui')],
  [
    'mocha',
    without(
      'rCn',
      'gtb',
      'require',
      'config',
      'package',
      'import',
      'loader',
      'node-option',
      'reporter',
      'ui',
      'file',
      'spec',
      'opts',
    ),
  ],
  [
    'journalctl',
    without(
      'MDF',
      'nup',
      'cursor-file',
      'vacuum-size',
      'vacuum-time',
      'vacuum-files',
      'rotate',
      'flush',
      'root',
      'image',
      'directory',
      'machine',
    ),
  ],
  ['dmesg', without('CcDEnFH', 'lf', 'clear', 'read-clear', 'console-off', 'console-on', 'console-level', 'file')],
  ['pip', pip()],
  [
    'mypy',
    without(
      'cmp',
      '',
      'config-file',
      'python-executable',
      'custom-typeshed-dir',
      'cache-dir',
      'install-types',
      'command',
      'module',
    ),
  ],
  ['ruff', without('', '', 'config', 'output-file', 'cache-dir')],
  ['black', without('c', 'lt', 'code', 'config', 'stdin-filename')],
  ['shellcheck', without('', 'efsS', 'rcfile', 'external-sources')],
  ['stty', without('F', '', 'file')],
  ['column', without('', 'tsoc')],
  ['pgrep', without('F', 'uUgGPst', 'pidfile')],
  ['pkill', without('F', 'uUgGPst', 'pidfile')],
  ['lsof', without('Dk', 'ipucdga')],
]);

/** `-f` takes a `host:file`, which is another machine's. Lists of files may have options in them. */
function tar(): Options {
  const long = [
    'to-command',
    'checkpoint-action',
    'use-compress-program',
    'rsh-command',
    'rmt-command',
    'info-script',
    'new-volume-script',
    'index-file',
    'absolute-names',
    'directory',
    'cd',
    'files-from',
    'volno-file',
    'listed-incremental',
    'one-top-level',
    'remove-files',
    'recursive-unlink',
    'multi-volume',
    'tape-length',
  ];
  return { are: 'dangerous', short: 'IFTCPgLM', long, known: ['list', 'file'] };
}

function make(): Options {
  return only(
    'kljnqsBiwrRp',
    'jl',
    'jobs',
    'keep-going',
    'dry-run',
    'silent',
    'quiet',
    'always-make',
    'no-print-directory',
    'version',
    'help',
  );
}

function pip(): Options {
  return without(
    't',
    '',
    'python',
    'log',
    'target',
    'root',
    'prefix',
    'cache-dir',
    'config-settings',
    'global-option',
    'build-option',
    'src',
    'report',
    'index-url',
    'extra-index-url',
    'trusted-host',
    'proxy',
    'cert',
    'client-cert',
    'find-links',
  );
}

/** The places of operands that do more than the program's job. */
export function operandDangers(name: string, words: readonly Word[]): number[] {
  const places = [...words.keys()].slice(1);
  switch (name) {
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return places.filter((at) => isTarDanger(words[at], at));
    case 'dd':
      return places.filter((at) => !isKnown(words[at], /^(?:if|bs|ibs|obs|cbs|count|skip|iflag|conv|status)=/));
    case 'make':
    case 'gmake':
      // Variables are commands as well. `-j 4` has its number apart.
      return places.filter((at) => !isKnown(words[at], /^(?:-|[^=:]*$)/) || words[at]?.isDynamic === true);
    case 'date':
      return places.filter(
        (at) => !isKnown(words[at], /^[-+]/) && !/^(?:-d|--date|-r|--reference)$/.test(words[at - 1]?.text ?? ''),
      );
    case 'read':
      // Others are looked at by programs, or by the shell.
      return places.filter((at) => !isKnown(words[at], /^(?:-.*|[a-z_][a-z0-9_]*)$/));
    case 'hostname':
      return places.filter((at) => !isKnown(words[at], /^-/));
    case 'uniq':
    case 'xxd':
      return afterFirstOperand(words, places);
    case 'curl':
      return places.filter((at) => /^(?:-[a-zA-Z]*H|--header=)?@/.test(words[at]?.text ?? ''));
    default:
      return [];
  }
}

function isTarDanger(word: Word | undefined, at: number): boolean {
  if (word === undefined) return false;
  // The first may be options without their dash.
  if (at === 1 && !word.text.startsWith('-')) return word.isDynamic || /[IFTCPgLM]/.test(word.text);
  if (!word.isDynamic) return word.text.includes(':');
  return !isCertain(word) || !/^[^:]*\//.test(word.text);
}

function isKnown(word: Word | undefined, expected: RegExp): boolean {
  return word !== undefined && expected.test(word.text) && (!word.isDynamic || word.becomes === 'one');
}

/** The second is a file that is written. Whether a word is an option's value is not looked at. */
function afterFirstOperand(words: readonly Word[], places: readonly number[]): number[] {
  const operands = places.filter((at) => words[at]?.isDynamic || !/^-./.test(words[at]?.text ?? ''));
  const [first] = operands;
  const mayBeMore = first !== undefined && words[first]?.isDynamic && words[first]?.becomes !== 'one';
  return mayBeMore ? operands : operands.slice(1);
}
