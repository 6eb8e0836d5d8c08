import { describe, expect, it } from 'vitest';
import { type Decision, decide } from './policy.ts';
import { SECURITY_MODES, type SecurityMode, type ToolLevel } from './tool.ts';

const RULES = ['none', 'allow', 'deny'] as const;

/** What is decided: of each mode, without a rule, with one that allows, with one that denies. */
type Row = readonly [Decision['decision'], Decision['decision'], Decision['decision']];

const ALLOWED: Row = ['allow', 'allow', 'refuse'];
const REFUSED: Row = ['refuse', 'refuse', 'refuse'];
const ASKED: Row = ['ask', 'allow', 'refuse'];
const BY_RULE: Row = ['refuse', 'allow', 'refuse'];

type Table = Record<SecurityMode, Row>;
const COMMON = { deny: REFUSED, allowlist: BY_RULE, full: ALLOWED };
const TABLES: [ToolLevel, boolean, Table][] = [
  ['safe', true, { ...COMMON, sandbox: ALLOWED, ask: ALLOWED }],
  ['safe', false, { ...COMMON, sandbox: REFUSED, ask: ALLOWED }],
  ['moderate', true, { ...COMMON, sandbox: ALLOWED, ask: ASKED }],
  ['moderate', false, { ...COMMON, sandbox: REFUSED, ask: ASKED }],
  ['dangerous', true, { ...COMMON, sandbox: ALLOWED, ask: ASKED }],
  ['dangerous', false, { ...COMMON, sandbox: REFUSED, ask: ASKED }],
];

const cases = TABLES.flatMap(([level, isForSandbox, table]) =>
  SECURITY_MODES.flatMap((mode) =>
    RULES.map((rule, index) => ({ level, isForSandbox, mode, rule, decision: table[mode][index] })),
  ),
);

describe('decide', () => {
  it.each(cases)('$mode: $level, for the sandbox $isForSandbox, rule $rule → $decision', (given) => {
    const { level, isForSandbox, mode } = given;
    const rule = given.rule === 'none' ? undefined : given.rule;
    const { decision, reason } = decide({ tool: { name: 'a_tool', level, isForSandbox }, mode, rule });
    expect(decision).toBe(given.decision);
    expect(reason).toMatch(/^[A-Za-z_][^.\n]*\.$/);
  });

  it('has a reason of its own for every way to refuse', () => {
    const tool = { name: 'a_tool', level: 'dangerous', isForSandbox: false } as const;
    const reasons = [
      decide({ tool, mode: 'deny', rule: undefined }),
      decide({ tool, mode: 'full', rule: 'deny' }),
      decide({ tool, mode: 'sandbox', rule: undefined }),
      decide({ tool, mode: 'allowlist', rule: undefined }),
    ].map(({ reason }) => reason);
    expect(new Set(reasons).size).toBe(4);
  });
});
