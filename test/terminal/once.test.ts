import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { atTerminal, cleanUp, environmentOf, KEYS, newHome, run } from './rig.ts';

vi.setConfig({ testTimeout: 150_000 });

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  cleanUp();
  await server.stop();
});

const WRITE = '/tool write_file {"path": "once.txt", "content": "Hello."}\n/next\n/say Written.';

/** Beside the server of these tests. */
function beside(): Record<string, string> {
  return environmentOf(newHome(), { PROFCLAW_URL: server.url });
}

describe.concurrent('one message', () => {
  it('prints the answer and nothing else on the standard output, of words and what is piped', async () => {
    const { code, stdout, stderr } = await run(['chat', '/reason Hm', '\n/say', 'Seen:'], beside(), '/length 1\n');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Seen:\n' });
    expect(stderr).toMatch(/thought for .*\n.*tokens · demo/);
    const dash = await run(['chat', '-'], beside(), '/say All of it\n');
    expect(dash.stdout).toBe('All of it\n');
  });

  it('offers no tools unless a mode is given, and then prints the last words only', async () => {
    const none = await run(['chat', '--json', WRITE], beside());
    expect(JSON.parse(none.stdout).toolCalls).toMatchObject([{ status: 'error' }]);
    const full = await run(['chat', '--mode', 'full', `/say Let me see.\n${WRITE}`], beside());
    expect({ code: full.code, stdout: full.stdout }).toEqual({ code: 0, stdout: 'Written.\n' });
    expect(full.stderr).toMatch(/✓ write_file once\.txt .*6 bytes written/);
    expect(readFileSync(join(server.home, 'workspace/once.txt'), 'utf8')).toBe('Hello.');
  });

  it('prints one object with --json, in which nothing acts on a terminal', async () => {
    const { code, stdout } = await run(['chat', '--json', '/say a\u009b31mb\u202e'], beside());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[ -~]+\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      conversationId: expect.stringMatching(/^conv_/),
      runId: expect.stringMatching(/^run_/),
      status: 'completed',
      answer: 'a\u009b31mb\u202e',
      usage: { outputTokens: 1 },
    });
  });

  it('prints every event as a line with --json-events', async () => {
    const { stdout, stderr } = await run(['chat', '--json-events', '/say One two'], beside());
    expect(stderr).toBe('');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1));
    expect(events.at(-1).type).toBe('complete');
  });

  it('takes files along: texts with their name, pictures as they are', async () => {
    const environment = beside();
    const folder = environment.HOME ?? '';
    writeFileSync(join(folder, 'a.txt'), 'Some ```text```');
    writeFileSync(join(folder, 'b.png'), Buffer.from([137, 80, 78, 71]));
    const files = ['--file', join(folder, 'a.txt'), '-f', join(folder, 'b.png')];
    const { stdout, stderr } = await run(['chat', ...files, '--json', 'What is this?'], environment);
    expect(stderr).toBe('');
    const { conversationId } = JSON.parse(stdout);
    const { body } = await server.call(`/api/chat/conversations/${conversationId}`);
    expect(body.messages[0].content).toEqual([
      { type: 'text', text: 'a.txt:\n````\nSome ```text```\n````' },
      { type: 'image', image: 'data:image/png;base64,iVBORw==' },
      { type: 'text', text: 'What is this?' },
    ]);
  });

  it('goes on in the conversation that --resume names', async () => {
    const environment = beside();
    const first = JSON.parse((await run(['chat', '--json', '/say One'], environment)).stdout);
    const second = JSON.parse(
      (await run(['chat', '--json', '--resume', first.conversationId, '/say Two'], environment)).stdout,
    );
    expect(second.conversationId).toBe(first.conversationId);
  });
});

describe.concurrent('how it ends', () => {
  it('with 1 if the model fails, with 2 if it is used wrongly', async () => {
    expect(await run(['chat', '/fail 400 Not today'], beside())).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Not today'),
    });
    const wrong = [
      ['chat'],
      ['chat', '--mode', 'some', 'x'],
      ['chat', '--no-tools', '--mode', 'ask', 'x'],
      ['chat', '--file', '/no/such', 'x'],
      ['chat', '--file', '/dev/zero', 'x'],
      ['chat', '--resume', 'conv_1', '--system', 'Be brief.', 'x'],
      ['runs', 'approve', 'approval_1', '--everywhere'],
    ];
    const ends = await Promise.all(wrong.map((words) => run(words, beside())));
    expect(ends.map(({ code, stdout }) => ({ code, stdout }))).toEqual(wrong.map(() => ({ code: 2, stdout: '' })));
  });

  it('without the words of an answer that failed, and with a remark on one that is cut off', async () => {
    const words = ['chat', '--json', '/say One two three\n/cut 2'];
    const [failed, object, cut] = await Promise.all([
      run(['chat', '/say One two three\n/cut 2'], beside()),
      run(words, beside()),
      run(['chat', '/say One two three\n/length 2'], beside()),
    ]);
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Failed: ') });
    expect(JSON.parse(object.stdout)).toMatchObject({ status: 'failed', answer: '' });
    expect(cut).toMatchObject({ code: 0, stderr: expect.stringContaining('The answer is cut off') });
  });

  it('with nothing of what others say acting on the terminal', async () => {
    const environment = beside();
    const ends = await Promise.all([
      run(['runs', 'approve', 'approval_\u009b2J\u202e'], environment),
      run(['providers', 'test', 'x\u001b[2J\u202e'], environment),
    ]);
    for (const { code, stderr } of ends) {
      expect(code).toBeGreaterThan(0);
      expect(stderr).toContain('<U+202E>');
      expect(stderr).toMatch(/^(?:\n|[^\p{Cc}\u202e])+$/u);
    }
    expect(ends[1]?.code).toBe(2);
  });

  it('with a remark while it waits for a standard input that says nothing', async () => {
    const child = spawn(process.execPath, ['src/main.ts', 'chat', '/say Seen'], { env: beside() });
    const [remark] = await once(child.stderr, 'data');
    expect(String(remark)).toContain('Reading the standard input until it ends');
    child.stdin.end();
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  });

  it('with words for the command line, not those for callers of the interface', async () => {
    const { code, stderr } = await run(['chat', '--model', 'no-such-model', 'x'], beside());
    expect(code).toBe(1);
    expect(stderr).toContain('`profclaw providers models <type>` lists them');
    expect(stderr).not.toContain('/api/');
  });

  it('with 1 where no server is, saying what to do', async () => {
    const { code, stderr } = await run(['chat', '--server', 'http://127.0.0.1:9', 'x'], environmentOf(newHome()));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^profclaw: Nothing answers at http:\/\/127\.0\.0\.1:9\. .*profclaw serve/);
  });

  it('with 3 if a call needs an approval and nobody can be asked; the run goes on after runs approve', async () => {
    const environment = beside();
    const asked = await run(['chat', '--mode', 'ask', WRITE], environment);
    expect(asked).toMatchObject({ code: 3, stdout: '' });
    const [, approval = ''] = /profclaw runs approve (approval_\w+)/.exec(asked.stderr) ?? [];
    const list = await run(['runs', '--status', 'waiting_approval'], environment);
    const [, id = ''] = /(run_\w+)/.exec(list.stdout) ?? [];
    expect((await run(['runs', 'show', id], environment)).stdout).toContain(`profclaw runs approve ${approval}`);
    expect(await run(['runs', 'approve', approval], environment)).toMatchObject({ code: 0 });
    const watched = await run(['runs', 'watch', id], environment);
    expect(watched).toMatchObject({ code: 0, stdout: expect.stringContaining('Written.') });
    expect(await run(['runs', 'approve', approval], environment)).toMatchObject({ code: 1 });
  });

  it('with 130 after Ctrl+C, and the run is cancelled', async () => {
    const terminal = atTerminal(['chat', '--json-events', '/say One two\n/stall'], beside());
    await terminal.sees('"content"');
    const [, id = ''] = /(run_\w+)/.exec(terminal.raw()) ?? [];
    terminal.type(KEYS.interrupt);
    expect(await terminal.ended).toBe(130);
    expect((await server.call(`/api/chat/runs/${id}`)).body.run.status).toBe('cancelled');
  });
});

it('asks at the terminal if there is one, and takes no colours with NO_COLOR', async () => {
  const terminal = atTerminal(['chat', '--mode', 'ask', WRITE], { ...beside(), NO_COLOR: '1' });
  await terminal.sees('[y/a/A/n/e]');
  terminal.type(`y${KEYS.enter}`);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen.text()).toContain('Written.');
  expect(terminal.raw()).not.toMatch(/\[\d*m/);
});
