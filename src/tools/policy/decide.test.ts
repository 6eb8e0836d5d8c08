import { describe, expect, it } from 'vitest';
import { hashOf } from '../../core/canonical.ts';
import { SECURITY_MODES, type SecurityMode, type ToolLevel } from '../tool.ts';
import type { Call } from './call.ts';
import { type CompiledRule, compileRule } from './compiled-rule.ts';
import { type Decision, decide } from './decide.ts';
import { grantOf } from './grant.ts';
import type { RuleMatch } from './rule.ts';
import { readCommandLine } from './shell/command-line.ts';

const CALL: Call = {
  tool: { name: 'a_tool', level: 'dangerous', isForSandbox: false },
  identity: 'same',
  command: undefined,
  paths: [],
  hosts: [],
  problem: undefined,
};

const hash = hashOf({ what: 1 });

let rules = 0;

function rule(action: 'allow' | 'deny', match: RuleMatch = {}, tool = 'a_tool'): CompiledRule {
  rules++;
  return compileRule({ id: `${action}-${rules}`, tool, match, action, conversation: 0 });
}

const path = (name: string, more: object = {}) => ({ path: name, isSecret: false, isLinked: false, ...more });
const host = (name: string, isInside = false) => ({ host: name, port: 443, isInside });
const secret = (more: object = {}) => path('.env', { isSecret: true, ...more });
const decided = (call: Partial<Call>, own: CompiledRule[], mode: SecurityMode): string =>
  decide({ ...CALL, ...call }, mode, own).decision;

/** What is decided: without a rule, with one that allows, with one that denies. */
type Row = readonly [Decision['decision'], Decision['decision'], Decision['decision']];
const ALLOWED: Row = ['allow', 'allow', 'refuse'];
const REFUSED: Row = ['refuse', 'refuse', 'refuse'];
const ASKED: Row = ['ask', 'allow', 'refuse'];
const BY_RULE: Row = ['refuse', 'allow', 'refuse'];

const COMMON = { deny: REFUSED, allowlist: BY_RULE, full: ALLOWED };
const TABLES: [ToolLevel, boolean, Record<SecurityMode, Row>][] = [
  ['safe', true, { ...COMMON, sandbox: ALLOWED, ask: ALLOWED }],
  ['safe', false, { ...COMMON, sandbox: REFUSED, ask: ALLOWED }],
  ['moderate', true, { ...COMMON, sandbox: ALLOWED, ask: ASKED }],
  ['moderate', false, { ...COMMON, sandbox: REFUSED, ask: ASKED }],
  ['dangerous', true, { ...COMMON, sandbox: ALLOWED, ask: ASKED }],
  ['dangerous', false, { ...COMMON, sandbox: REFUSED, ask: ASKED }],
];

describe('a call without paths, commands or hosts', () => {
  const cases = TABLES.flatMap(([level, isForSandbox, table]) =>
    SECURITY_MODES.flatMap((mode) =>
      (['none', 'allow', 'deny'] as const).map((said, index) => ({
        ...{ level, isForSandbox, mode, said },
        decision: table[mode][index],
      })),
    ),
  );

  it.each(cases)('$mode: $level, for the sandbox $isForSandbox, rule $said → $decision', (given) => {
    const { level, isForSandbox, mode, said } = given;
    const own = said === 'none' ? [] : [rule(said)];
    const answer = decide({ ...CALL, tool: { name: 'a_tool', level, isForSandbox } }, mode, own);
    expect(answer.decision).toBe(given.decision);
    expect(answer.reason).toMatch(/^[A-Za-z_][^.\n]*\.$/);
    const isByRule = mode !== 'deny' && (said === 'deny' || (said === 'allow' && mode !== 'sandbox'));
    expect(answer.rule).toBe(isByRule ? own[0]?.rule.id : null);
  });

  it('which cannot be carried out at all is refused in every mode, before anybody is asked', () => {
    const problem = '"../x" is outside the workspace';
    for (const mode of SECURITY_MODES) expect(decided({ problem }, [rule('allow')], mode)).toBe('refuse');
    expect(decide({ ...CALL, problem }, 'ask', []).reason).toBe(problem);
  });
});

describe('rules', () => {
  it.each<[string, RuleMatch | string, Partial<Call>, boolean]>([
    ['another tool', 'other', {}, false],
    ['a glob of names', 'a_*', {}, true],
    ['a glob in the middle', 'a*l', {}, true],
    ['a glob of other names', '*_tool_*', {}, false],
    ['all tools', '*', {}, true],
    ['these arguments', { arguments: { what: 1 } }, { identity: hash }, true],
    ['other arguments', { arguments: { what: 2 } }, { identity: hash }, false],
    ['this path', { path: 'src/a.ts' }, { paths: [path('src/a.ts')] }, true],
    ['a glob of paths', { path: 'src/**' }, { paths: [path('src/a/b.ts')] }, true],
    ['another path', { path: 'src/**' }, { paths: [path('srcs/a.ts')] }, false],
    ['one of two paths', { path: 'src/**' }, { paths: [path('src/a.ts'), path('b.ts')] }, false],
    ['a path of a call that has none', { path: '**' }, {}, false],
    ['a host', { host: 'example.com' }, { hosts: [host('example.com')] }, true],
    ['one below it', { host: '*.example.com' }, { hosts: [host('a.b.example.com')] }, true],
    ['one that only ends so', { host: '*.example.com' }, { hosts: [host('badexample.com')] }, false],
    ['itself', { host: '*.example.com' }, { hosts: [host('example.com')] }, false],
    ['another port', { host: 'example.com:8080' }, { hosts: [host('example.com')] }, false],
    ['a host of a call that has none', { host: '*' }, {}, false],
    ['a command of a call that has none', { command: 'ls *' }, {}, false],
    ['a command that cannot be read', { command: 'ls *' }, { command: { commands: [], problem: 'it is odd' } }, false],
    ['all, of a command that cannot be read', {}, { command: { commands: [], problem: 'it is odd' } }, true],
    ['a path and a host', { path: '**', host: '*' }, { paths: [path('a')] }, false],
    [
      'these arguments and this path',
      { arguments: { what: 1 }, path: 'a' },
      { identity: hash, paths: [path('a')] },
      true,
    ],
    [
      'other arguments and this path',
      { arguments: { what: 2 }, path: 'a' },
      { identity: hash, paths: [path('a')] },
      false,
    ],
  ])('%s', (_, given, call, isAllowed) => {
    const own = typeof given === 'string' ? rule('allow', {}, given) : rule('allow', given);
    expect(decided(call, [own], 'ask')).toBe(isAllowed ? 'allow' : 'ask');
    expect(decided(call, [own], 'allowlist')).toBe(isAllowed ? 'allow' : 'refuse');
    expect(decided(call, [own], 'full')).toBe('allow');
  });

  it('may allow the parts of a call together, and the first is named', () => {
    const paths = [path('src/a.ts'), path('docs/b.md')];
    const [src, docs] = [rule('allow', { path: 'src/**' }), rule('allow', { path: 'docs/**' })];
    expect(decide({ ...CALL, paths }, 'ask', [docs])).toMatchObject({ decision: 'ask', rule: null });
    // Each speaks of all paths of a call: one rule has to hold for all of them.
    expect(decided({ paths }, [src, docs], 'ask')).toBe('ask');
    expect(decide({ ...CALL, paths }, 'ask', [rule('allow', { path: '**' })]).decision).toBe('allow');
  });

  it('that deny win, also for a part of what others allow', () => {
    const paths = [path('src/a.ts'), path('src/key.ts')];
    const no = rule('deny', { path: 'src/key.ts' });
    for (const mode of SECURITY_MODES.filter((one) => one !== 'deny'))
      expect(decide({ ...CALL, paths }, mode, [rule('allow'), no])).toMatchObject({
        decision: 'refuse',
        rule: no.rule.id,
      });
    expect(decided({ paths: [path('src/a.ts')] }, [rule('allow'), no], 'ask')).toBe('allow');
  });

  it('that deny a folder deny what is in it, and those that allow one do not', () => {
    const paths = [path('src/deep/a.ts')];
    expect(decided({ paths }, [rule('deny', { path: 'src' })], 'full')).toBe('refuse');
    expect(decided({ paths }, [rule('allow', { path: 'src' })], 'ask')).toBe('ask');
  });

  it('that deny commands refuse what cannot be read, in every mode', () => {
    const command = { commands: [], problem: 'it is odd' };
    const no = rule('deny', { command: 'rm *' });
    for (const mode of ['ask', 'full', 'allowlist', 'sandbox'] as const) {
      const tool = { ...CALL.tool, isForSandbox: true };
      const answer = decide({ ...CALL, tool, command }, mode, [rule('allow'), no]);
      expect(answer).toMatchObject({ decision: 'refuse', rule: no.rule.id });
      expect(answer.reason).toContain('it is odd');
    }
  });
});

describe('a host of this machine or its network', () => {
  it('is refused before anybody is asked, unless a rule names it', () => {
    const hosts = [host('127.0.0.1', true)];
    for (const mode of ['ask', 'allowlist', 'full'] as const) {
      expect(decided({ hosts }, [], mode)).toBe('refuse');
      expect(decided({ hosts }, [rule('allow'), rule('allow', { host: '*' })], mode)).toBe('refuse');
      expect(decided({ hosts }, [rule('allow', { host: '127.0.0.1' })], mode)).toBe('allow');
    }
    expect(decided({ hosts }, [rule('allow', { host: '127.0.0.1' }), rule('deny', { host: '*' })], 'full')).toBe(
      'refuse',
    );
  });
});

describe('a reason', () => {
  it('names what no rule allows, of several commands or paths', () => {
    const command = readCommandLine('git status && timeout 5 rm -rf "$x"');
    const own = [rule('allow', { command: 'git status' })];
    expect(decide({ ...CALL, command }, 'ask', own).reason).toMatch(/Nothing allows "timeout rm -rf …"\.$/);
    const paths = [path('src/a'), path('b')];
    expect(decide({ ...CALL, paths }, 'ask', [rule('allow', { arguments: {} })]).reason).toMatch(
      /the path "src\/a"\.$/,
    );
  });
});

describe('a secret', () => {
  const own = [rule('allow', { path: '**' }), rule('allow')];

  it.each<[SecurityMode, string]>([
    ['deny', 'refuse'],
    ['sandbox', 'refuse'],
    ['allowlist', 'refuse'],
    ['ask', 'ask'],
    ['full', 'ask'],
  ])('%s → %s, whatever else may be called, and whatever rules say that do not name it', (mode, decision) => {
    const tool = { name: 'a_tool', level: 'safe', isForSandbox: true } as const;
    expect(decided({ tool, paths: [secret()] }, own, mode)).toBe(decision);
    expect(decided({ tool, paths: [path('a'), secret()] }, own, mode)).toBe(decision);
  });

  it('is shown by a rule that names it, or for exactly this call', () => {
    for (const match of [{ path: '.env' }, { arguments: { what: 1 } }]) {
      const yes = rule('allow', match);
      for (const mode of ['allowlist', 'ask', 'full'] as const)
        expect(decided({ identity: hash, paths: [secret()] }, [...own, yes], mode)).toBe('allow');
      expect(decided({ identity: hash, paths: [secret()] }, [...own, yes], 'sandbox')).toBe('refuse');
    }
  });

  it('that a link leads to is not even asked about', () => {
    for (const mode of ['ask', 'full'] as const)
      expect(decided({ paths: [secret({ isLinked: true })] }, own, mode)).toBe('refuse');
  });
});

describe('what a tool may touch then', () => {
  it('is what rules say whose other conditions fit the call, too', () => {
    const shell = (line: string) => ({ ...CALL, command: readCommandLine(line) });
    const own = [
      rule('allow', { command: 'npm install *', host: 'registry.example' }),
      rule('allow', { command: 'make deploy', path: '.env' }),
    ];
    const opened = (line: string) => {
      const { opensSecret, hostRule, hasHosts } = grantOf(shell(line), own, 'full', true);
      return [opensSecret('.env'), hostRule('registry.example', 443), hasHosts];
    };
    expect(opened('npm install left-pad')).toEqual([false, 'exact', true]);
    expect(opened('make deploy')).toEqual([true, undefined, false]);
    for (const line of ['curl x', 'npm install x; curl x', 'f() { npm install x; }; f', 'make deploy && cat .env'])
      expect(opened(line)).toEqual([false, undefined, false]);

    const visit = { ...CALL, hosts: [host('127.0.0.1', true)] };
    for (const more of [{ path: 'a' }, { arguments: { what: 1 } }, { command: 'ls' }]) {
      const one = [rule('allow', { host: '127.0.0.1', ...more })];
      expect(decide(visit, 'full', one).decision).toBe('refuse');
      expect(grantOf(visit, one, 'full', true).hostRule('127.0.0.1', 443)).toBeUndefined();
    }
    // Where a redirect leads, the call does not say.
    expect(grantOf(visit, [rule('allow', { host: 'next.example' })], 'full', true).hostRule('next.example', 443)).toBe(
      'exact',
    );
    // Nor what a search comes upon.
    const search = { ...CALL, paths: [path('.')] };
    expect(grantOf(search, [rule('allow', { path: '.env' })], 'full', true).opensSecret('.env')).toBe(true);
    expect(grantOf(search, [rule('allow', { path: '.env', host: '*' })], 'full', true).opensSecret('.env')).toBe(false);
  });

  it('are the secrets that the call names, if it is allowed, and those that a rule names', () => {
    const call = { ...CALL, paths: [secret()] };
    expect(grantOf(call, [], 'ask', true).opensSecret('.env')).toBe(true);
    expect(grantOf(call, [], 'ask', true).opensSecret('id_rsa')).toBe(false);
    expect(grantOf(call, [], 'ask', false).opensSecret('.env')).toBe(false);
    expect(grantOf(CALL, [rule('allow', { path: '.env' })], 'full', true).opensSecret('.env')).toBe(true);
    expect(grantOf(CALL, [rule('allow', { path: '.env' }, 'other')], 'full', true).opensSecret('.env')).toBe(false);
    expect(grantOf(CALL, [rule('allow', { path: '*' })], 'full', true).opensSecret('.env')).toBe(false);
    expect(grantOf(call, [rule('allow', { path: '.env' })], 'sandbox', true).opensSecret('.env')).toBe(false);
  });

  it('is no path that a rule denies', () => {
    const grant = grantOf(CALL, [rule('deny', { path: 'private/**' }), rule('allow')], 'full', true);
    expect(grant.hidesPath('private/a')).toBe(true);
    expect(grant.hidesPath('public/a')).toBe(false);
    // A folder means what is in it.
    expect(grantOf(CALL, [rule('deny', { path: 'private' })], 'full', true).hidesPath('private/a/b')).toBe(true);
    expect(grantOf(CALL, [rule('deny', { path: 'private' })], 'full', true).hidesPath('privates')).toBe(false);
  });

  it('are the hosts that rules allow: named ones, and those of a wildcard', () => {
    const own = [
      rule('allow', { host: 'named.example' }),
      rule('allow', { host: '*.wild.example' }),
      rule('deny', { host: 'bad.wild.example' }),
    ];
    const grant = grantOf(CALL, own, 'full', true);
    const hosts = ['named.example', 'a.wild.example', 'bad.wild.example', 'other.example'];
    expect(hosts.map((host) => grant.hostRule(host, 443))).toEqual(['exact', 'allow', 'deny', undefined]);
    expect([grant.hasHosts, grantOf(CALL, [rule('allow')], 'full', true).hasHosts]).toEqual([true, false]);
    const shut = grantOf(CALL, own, 'sandbox', true);
    expect(hosts.map((host) => shut.hostRule(host, 443))).toEqual([undefined, undefined, 'deny', undefined]);
    expect(shut.hasHosts).toBe(false);
  });
});
