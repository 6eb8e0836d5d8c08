import { describe, expect, it } from 'vitest';
import { execTool } from '../../../src/tools/builtin/exec.ts';
import { readCall } from '../../../src/tools/policy/call.ts';
import { decide } from '../../../src/tools/policy/decide.ts';
import type { SecurityMode } from '../../../src/tools/tool.ts';
import { ONLY_SANDBOX } from '../rig.ts';
import { ALLOWED_LINES } from './allowed-lines.ts';
import { ASKED_LINES } from './asked-lines.ts';
import { DANGEROUS_LINES } from './dangerous-lines.ts';
import { EXPANSION_LINES } from './expansion-lines.ts';
import { ALLOWING, DENYING } from './golden.ts';
import { REFUSED_LINES } from './refused-lines.ts';
import type { Rows } from './row.ts';

const exec = execTool(ONLY_SANDBOX);

const TABLE: readonly Rows[] = [
  ...ALLOWED_LINES,
  ...ASKED_LINES,
  ...DANGEROUS_LINES,
  ...REFUSED_LINES,
  ...EXPANSION_LINES,
];

/** What is decided on a line in each mode. */
async function decided(command: string, rules = [...ALLOWING, ...DENYING]): Promise<Record<SecurityMode, string>> {
  const call = await readCall(exec, { command }, { workspace: '/', hidden: [] });
  const { deny, sandbox, allowlist, ask, full } = {
    deny: decide(call, 'deny', rules),
    sandbox: decide(call, 'sandbox', rules),
    allowlist: decide(call, 'allowlist', rules),
    ask: decide(call, 'ask', rules),
    full: decide(call, 'full', rules),
  };
  return {
    deny: deny.decision,
    sandbox: sandbox.decision,
    allowlist: allowlist.decision,
    ask: ask.decision,
    full: full.decision,
  };
}

describe.each(TABLE)('$about, $ask', ({ ask, allowlist, lines }) => {
  // What is not denied is isolated, so neither of the other two modes asks.
  const sandbox = ask === 'refuse' ? 'refuse' : 'allow';
  it.each(lines.map((line) => [JSON.stringify(line), line] as const))('%s', async (_, line) => {
    expect(await decided(line)).toEqual({ deny: 'refuse', sandbox, allowlist, ask, full: sandbox });
    // That nothing but a denying rule refused it is no way around the allowing ones.
    const isAllowed = ask === 'allow';
    expect(await decided(line, ALLOWING)).toMatchObject({
      allowlist: isAllowed ? 'allow' : 'refuse',
      ask: isAllowed ? 'allow' : 'ask',
    });
  });
});

describe('the table', () => {
  const all = TABLE.flatMap(({ lines }) => lines);

  it('has no line twice', () => {
    expect(all.filter((line, at) => all.indexOf(line) !== at)).toEqual([]);
  });

  it('is large enough to mean something', () => {
    expect(all.length).toBeGreaterThan(600);
    expect(ALLOWED_LINES.flatMap(({ lines }) => lines).length).toBeGreaterThan(180);
  });
});
