import fc from 'fast-check';
import { expect, it } from 'vitest';
import { McpServerName } from './server-config.ts';
import { mcpToolName } from './tool-name.ts';

it('fit names stay as they are', () => {
  expect(mcpToolName('github', 'create_issue')).toBe('mcp__github__create_issue');
  expect(mcpToolName('a', '_b')).toBe('mcp__a___b');
  expect(mcpToolName('a', 'x'.repeat(56))).toBe(`mcp__a__${'x'.repeat(56)}`);
});

it('others are made fit, and told apart', () => {
  expect(mcpToolName('a', 'b.c')).toBe('mcp__a__b_c_ad8a94ab');
  expect(new Set(['b.c', 'b c', 'b/c', 'b..c', ''].map((tool) => mcpToolName('a', tool))).size).toBe(5);
  const long = ['y', 'z'].map((end) => mcpToolName('a', 'x'.repeat(100) + end));
  expect(new Set(long).size).toBe(2);
});

it('whatever they are, names are fit for providers, and different ones stay so', () => {
  const server = fc.constantFrom('a', 'a-b', 'a_b', 'A', 'x'.repeat(31));
  const pair = fc.record({ server, tool: fc.string({ unit: 'binary', maxLength: 80 }) });
  const property = fc.property(pair, pair, (one, other) => {
    const names = [one, other].map(({ server: name, tool }) => mcpToolName(name, tool));
    for (const name of names) expect(name).toMatch(/^mcp__[\w-]{1,59}$/);
    const isSame = one.server === other.server && one.tool === other.tool;
    expect(names[0] === names[1]).toBe(isSame);
  });
  fc.assert(property, { numRuns: 500 });
});

it('no server’s name lets its tools pass for another’s', () => {
  for (const name of ['a__b', '_a', 'a_', '__', '', 'a b', 'a.b', 'x'.repeat(32)])
    expect(McpServerName.safeParse(name).success).toBe(false);
  for (const name of ['a', 'a_b', 'a-b', 'A1', 'x'.repeat(31)])
    expect(McpServerName.safeParse(name).success).toBe(true);
});
