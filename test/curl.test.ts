import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './server.ts';

// The curl lines of the documentation are run as printed; only the address is replaced. Each page has a server of its own.

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const ANSWER = {
  content: [{ type: 'text', text: 'Async/await is…' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 42, output_tokens: 150 },
};

let server: TestServer;
let anthropic: Server;
/** Where curl is run, and leaves its files. */
let folder: string;

beforeAll(async () => {
  anthropic = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(ANSWER));
  });
  await new Promise<void>((resolve) => anthropic.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void anthropic.close());

function withServer(): void {
  beforeAll(async () => {
    const { port } = anthropic.address() as AddressInfo;
    folder = mkdtempSync(join(tmpdir(), 'profclaw-curl-'));
    server = await startTestServer({
      ANTHROPIC_API_KEY: 'sk-ant',
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
      PROFCLAW_WORKSPACE: folder,
    });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });
}

async function curl(line: string): Promise<string> {
  const command = line.replaceAll('http://localhost:3000', server.url);
  expect(command).not.toBe(line);
  const { stdout } = await run('bash', ['-c', command], { cwd: folder });
  return stdout;
}

const PAGES = [
  'README.md',
  'docs/access.md',
  'docs/anthropic.md',
  'docs/approvals.md',
  'docs/completions.md',
  'docs/conversations.md',
  'docs/demo.md',
  'docs/idempotency.md',
  'docs/mcp-server.md',
  'docs/openai.md',
  'docs/responses.md',
  'docs/rules.md',
  'docs/runs.md',
  'docs/tools.md',
  'docs/use-chat.md',
];

/** What a block of a page must print: an answer that is none of an error, or a stream that ends well. */
function expectSuccess(block: string, out: string): void {
  if (out.endsWith('data: [DONE]\n\n')) expect(out).toContain('"type":"finish"');
  else if (out.startsWith('event: message\n')) {
    // A message of the Model Context Protocol.
    const { result } = JSON.parse(out.replace(/^event: message\ndata: /, ''));
    expect(result.content).not.toEqual([]);
    expect(result).not.toHaveProperty('isError');
  } else if (out.startsWith('event: response.')) expect(out).toContain('event: response.completed\n');
  else if (out.startsWith('retry: ')) expect(out).toMatch(/"type":"complete"/);
  else if (block.includes('"stream": true')) expect(out).toMatch(/"done":true,"(id":"resp_|userMessage")/);
  else {
    const answer = JSON.parse(out);
    expect(answer).not.toHaveProperty('code');
    // Of the other wires.
    expect(answer.error ?? null).toBeNull();
  }
}

describe.each(PAGES)('curl lines of %s', (file) => {
  withServer();
  const blocks = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
    (match) => match[1] ?? '',
  );
  it('there are some', () => expect(blocks.length).toBeGreaterThan(0));
  for (const block of blocks) {
    it(block.split('\n').at(-2)?.trim() ?? '', async () => {
      expectSuccess(block, await curl(block));
    });
  }
});

describe('curl lines of the interface that is implemented', () => {
  withServer();

  it('a completion with a named model, temperature and a cookie', async () => {
    const out = await curl(`curl -s -X POST http://localhost:3000/api/chat/completions \\
  -H "Content-Type: application/json" \\
  --cookie "profclaw_session=<token>" \\
  -d '{
    "messages": [{"role": "user", "content": "Explain async/await in TypeScript"}],
    "model": "claude-sonnet-4-6",
    "temperature": 0.7
  }'`);
    expect(JSON.parse(out)).toEqual({
      id: expect.stringMatching(/^resp_/),
      provider: 'anthropic',
      model: 'claude-sonnet-4-6',
      message: { role: 'assistant', content: 'Async/await is…' },
      finishReason: 'stop',
      usage: { promptTokens: 42, completionTokens: 150, totalTokens: 192, cost: 0.002376 },
      duration: expect.any(Number),
    });
  });

  it('a quick question', async () => {
    const out = await curl(`curl -s -X POST http://localhost:3000/api/chat/quick \\
  -H "Content-Type: application/json" \\
  -d '{"prompt": "What is 2+2?"}'`);
    expect(JSON.parse(out).content).toBe('Async/await is…');
  });

  it('a smart one, without a content type', async () => {
    const { body: created } = await server.call('/api/tasks', { title: 'T', prompt: 'P' });
    const out = await curl(`curl -s -X POST http://localhost:3000/api/chat/smart \\
  -d '{"messages": [{"role": "user", "content": "hi"}], "taskId": "${created.task.id}", "presetId": "profclaw-assistant"}'`);
    expect(JSON.parse(out).context).toEqual({ presetId: 'profclaw-assistant', taskId: created.task.id });
  });
});
