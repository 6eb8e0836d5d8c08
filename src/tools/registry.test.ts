import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../errors.ts';
import { builtInTools, toolsByName } from './registry.ts';

const BUILT_IN_TOOLS = builtInTools({
  isUnsandboxedAllowed: false,
  webSearch: { provider: 'brave', key: 'a key' },
});

const names = (tools: readonly { name: string }[]) => tools.map(({ name }) => name);

describe('the built-in tools', () => {
  it('are these', () => {
    expect(BUILT_IN_TOOLS.map(({ name, level, effect, isForSandbox }) => [name, level, effect, isForSandbox])).toEqual([
      ['read_file', 'safe', 'read', true],
      ['write_file', 'moderate', 'idempotent', false],
      ['edit_file', 'moderate', 'unsafe', false],
      ['list_directory', 'safe', 'read', true],
      ['search_files', 'safe', 'read', true],
      ['grep', 'safe', 'read', true],
      ['exec', 'dangerous', 'unsafe', true],
      ['git_status', 'safe', 'read', true],
      ['git_diff', 'safe', 'read', true],
      ['git_log', 'safe', 'read', true],
      ['web_fetch', 'moderate', 'read', false],
      ['web_search', 'moderate', 'read', false],
      ['todo_write', 'safe', 'idempotent', true],
      ['get_task', 'safe', 'read', true],
      ['update_task', 'moderate', 'idempotent', false],
      ['get_ticket', 'safe', 'read', true],
      ['create_ticket', 'moderate', 'idempotent', false],
      ['read_result', 'safe', 'read', true],
      ['complete_task', 'safe', 'idempotent', true],
    ]);
  });

  it.each(BUILT_IN_TOOLS)('$name takes an object, and nothing that it does not know', (tool) => {
    expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.description).toMatch(/^[A-Z].*\.$/s);
    expect(tool.check({ unheard_of: 1 })).not.toEqual([]);
  });
});

describe('toolsByName', () => {
  it('takes all without names', () => {
    expect(toolsByName(BUILT_IN_TOOLS)).toBe(BUILT_IN_TOOLS);
  });

  it('takes the named ones, once and always in the same order', () => {
    expect(names(toolsByName(BUILT_IN_TOOLS, ['exec', 'read_file', 'exec']))).toEqual(['read_file', 'exec']);
    expect(toolsByName(BUILT_IN_TOOLS, [])).toEqual([]);
  });

  it('names every unknown one, where it is, and the nearest', () => {
    const take = () => toolsByName(BUILT_IN_TOOLS, ['exec', 'raed_file', 'quite_something_else']);
    expect(take).toThrow(InvalidRequestError);
    expect(take).toThrow(
      expect.objectContaining({
        details: {
          issues: [
            { path: 'tools.1', message: 'There is no tool "raed_file"; did you mean "read_file"?' },
            { path: 'tools.2', message: 'There is no tool "quite_something_else"; GET /api/chat/tools lists them' },
          ],
        },
      }),
    );
  });
});
