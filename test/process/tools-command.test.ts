import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import { cleanUp, type Program, start, tempFolder } from './program.ts';

// `profclaw tools`, beside a running server.

afterEach(cleanUp);

/** What a command says, and how it ended. */
async function say(
  server: Program,
  workspace: string,
  ...words: string[]
): Promise<{ code: number | null; out: string }> {
  const program = start({ PROFCLAW_HOME: server.home, PROFCLAW_WORKSPACE: workspace }, undefined, words);
  const { code } = await program.ended;
  return { code, out: `${program.stdout()}${program.stderr()}` };
}

it('tells what would happen to calls, by the stored rules and by others', async () => {
  const workspace = tempFolder();
  const server = start({ PROFCLAW_WORKSPACE: workspace });
  const url = await server.listening;
  const post = async (path: string, body: object): Promise<Json> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
    return (await response.json()) as Json;
  };
  const given = JSON.stringify({ path: 'a.txt', content: 'x\u202e' });
  const explain = (...more: string[]) => say(server, workspace, 'tools', 'explain', 'write_file', given, ...more);

  expect(await explain()).toEqual({ code: 0, out: 'ask: write_file is moderate, and no rule allows this call.\n' });
  const { rule } = await post('/api/chat/tools/rules', {
    tool: 'write_file',
    match: { path: '*.txt' },
    action: 'allow',
  });
  expect(await explain('--mode', 'allowlist')).toEqual({
    code: 0,
    out: `allow (${rule.id}): A rule allows this call of write_file.\n`,
  });
  expect(await explain('--mode', 'never')).toEqual({ code: 2, out: expect.stringContaining('--mode never') });
  expect(await say(server, workspace, 'tools', 'explain', 'write_fil', '{}')).toEqual({
    code: 1,
    out: expect.stringContaining('did you mean "write_file"?'),
  });

  const { conversation } = await post('/api/chat/conversations', {});
  const path = `/api/chat/conversations/${conversation.id}/messages/with-tools`;
  await post(path, { model: 'demo', content: `/tool write_file ${given}` });
  const rules = join(tempFolder(), 'rules.json');
  writeFileSync(rules, JSON.stringify([{ tool: 'write_file', action: 'deny' }]));
  const simulated = await say(server, workspace, 'tools', 'simulate', rules);
  expect(simulated).toEqual({
    code: 0,
    out: expect.stringMatching(
      /^allow -> refuse: write_file \{.*\} of run_\w+: A rule denies this call of write_file\.\n1 of 1 calls would be decided on otherwise\n$/,
    ),
  });
  expect(simulated.out).toContain('\\u202e');
  writeFileSync(rules, JSON.stringify([{ tool: 'write_file', action: 'perhaps' }]));
  expect(await say(server, workspace, 'tools', 'simulate', rules)).toEqual({
    code: 1,
    out: expect.stringContaining('0.action'),
  });
});
