import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';

const SUITE = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** What we do of the protocol, and the checks of each. */
const IN_SCOPE: Record<string, string[]> = {
  initialize: ['mcp-client-initialization'],
  tools_call: ['tool-add-numbers'],
  // Another one looks at the clock, and would fail on a busy machine.
  'sse-retry': ['client-sse-graceful-reconnect', 'client-sse-last-event-id'],
};

/** What we do not: no capability is offered, and credentials are headers that the operator gives. */
const OUT_OF_SCOPE = { 'elicitation-sep1034-client-defaults': 'elicitation', 'auth/': 'OAuth' };

async function run(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece) => {
      output += piece;
    });
  await new Promise((resolve) => child.on('close', resolve));
  return stripVTControlCharacters(output);
}

describe.skipIf(!existsSync(SUITE))('the conformance suite of the protocol', () => {
  it.for(Object.entries(IN_SCOPE))('%s', async ([scenario, checks]) => {
    const command = `${process.execPath} ${join(import.meta.dirname, 'conformance-process.ts')}`;
    const output = await run('client', '--command', command, '--scenario', scenario);
    const results = [...output.matchAll(/\[([\w-]+) *\] (SUCCESS|FAILURE|WARNING)/g)].map(([, ...result]) => result);
    for (const check of checks) expect(results).toContainEqual([check, 'SUCCESS']);
    expect(output).not.toMatch(/too early/);
  });

  it('has no other scenario that we should pass', async () => {
    const output = await run('list', '--client');
    const scenarios = [...output.matchAll(/^ *- (\S+) \[/gm)].map(([, name]) => name ?? '');
    const inScope = scenarios.filter((name) => !Object.keys(OUT_OF_SCOPE).some((start) => name.startsWith(start)));
    expect(inScope).toEqual(Object.keys(IN_SCOPE));
  });
});
