import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Visitor } from '../access/visitor.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { programOf } from './rig.ts';

let server: TestServer;
let visitor: Visitor;

beforeAll(async () => {
  const servers = { files: programOf('plain', { env: { TOKEN: 'secret-of-the-program' } }) };
  server = await startTestServer({
    PROFCLAW_MCP_SERVERS: JSON.stringify(servers),
    ANTHROPIC_API_KEY: 'sk-ant-of-the-server',
  });
  visitor = new Visitor(server.url);
  await vi.waitFor(async () => {
    const { tools } = await visitor.must('GET', '/api/chat/tools');
    expect(tools.map(({ name }: Json) => name)).toContain('mcp__files__echo');
  }, 20_000);
});

afterAll(() => server.stop());

/** Has the demo model call a tool in a new conversation. */
async function ask(securityMode: string, tool: string, given: object): Promise<Json> {
  const { conversation } = await visitor.must('POST', '/api/chat/conversations', {});
  const content = `/tool ${tool} ${JSON.stringify(given)}`;
  const path = `/api/chat/conversations/${conversation.id}/messages/with-tools`;
  return await visitor.must('POST', path, { content, model: 'demo', securityMode });
}

it.for([
  ['full', 'success', /^echo: hi$/],
  ['sandbox', 'denied', /may not be called in the mode sandbox/],
  ['allowlist', 'denied', /No rule allows this call/],
] as const)('a run calls it in the mode %s as any tool: %s', async ([mode, status, result]) => {
  const { toolCalls } = await ask(mode, 'mcp__files__echo', { text: 'hi' });
  expect(toolCalls).toMatchObject([{ name: 'mcp__files__echo', status, result: expect.stringMatching(result) }]);
});

it('in the mode ask a person is asked, for the level that it has', async () => {
  const { pendingApprovals } = await ask('ask', 'mcp__files__echo', { text: 'hi' });
  expect(pendingApprovals).toMatchObject([{ toolName: 'mcp__files__echo', securityLevel: 'dangerous' }]);
});

it('a rule for all tools of a server allows it, and only those', async () => {
  await visitor.must('POST', '/api/chat/tools/rules', { tool: 'mcp__files__e*', action: 'allow' });
  expect((await ask('allowlist', 'mcp__files__echo', { text: 'hi' })).toolCalls[0].status).toBe('success');
  expect((await ask('allowlist', 'mcp__files__fails', { text: 'hi' })).toolCalls[0].status).toBe('denied');
});

it('its secrets are struck out of results, and the server’s are not in its environment', async () => {
  const { toolCalls } = await ask('full', 'mcp__files__environment', { text: '' });
  const variables = JSON.parse(toolCalls[0].result);
  expect(variables.TOKEN).toBe('[secret]');
  expect(Object.keys(variables).filter((name) => !['PATH', 'HOME', 'LANG', 'TERM'].includes(name))).toEqual(['TOKEN']);
});
