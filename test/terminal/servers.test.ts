import { afterAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.ts';
import { cleanUp as cleanUpPrograms, start } from '../process/program.ts';
import { startTestServer } from '../server.ts';
import { atTerminal, cleanUp, environmentOf, KEYS, newHome, run } from './rig.ts';

vi.setConfig({ testTimeout: 150_000 });

afterAll(async () => {
  cleanUp();
  await cleanUpPrograms();
});

const WRITE = '/tool write_file {"path": "own.txt", "content": "Hello."}\n/next\n/say Written.';

describe.concurrent('without a server', () => {
  it('has one of its own, and what it was told is there the next time', async () => {
    const environment = environmentOf(newHome());
    expect(await run(['chat', '/say Hello'], environment)).toMatchObject({ code: 0, stdout: 'Hello\n' });
    const { stdout } = await run(['chat', '--json', '--resume', '/say Again'], environment);
    const { conversationId } = JSON.parse(stdout);
    const list = await run(['runs', '--json'], environment);
    expect(JSON.parse(list.stdout).runs).toMatchObject([{ conversationId }, { conversationId }]);
  });

  it('carries on itself what it allows', async () => {
    const environment = environmentOf(newHome());
    const asked = await run(['chat', '--mode', 'ask', WRITE], environment);
    const [, approval = ''] = /profclaw runs approve (approval_\w+)/.exec(asked.stderr) ?? [];
    expect(await run(['runs', 'approve', approval], environment)).toMatchObject({
      code: 0,
      stdout: 'Written.\n',
    });
  });

  it('acts as the owner where everybody needs a credential, with a key that is gone afterwards', async () => {
    const environment = environmentOf(newHome(), { PROFCLAW_ACCESS_KEY: 'a very secret access key' });
    expect(await run(['chat', '/say Hello'], environment)).toMatchObject({ code: 0, stdout: 'Hello\n' });
    const server = await startTestServer(
      { PROFCLAW_ACCESS_KEY: 'a very secret access key' },
      environment.PROFCLAW_HOME,
    );
    const { headers } = await server.call('/api/auth/verify-access-key', { key: 'a very secret access key' });
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
    const { body } = await server.call('/api/keys', undefined, { headers: { cookie } });
    const { body: conversations } = await server.call('/api/chat/conversations', undefined, { headers: { cookie } });
    const { body: audit } = await server.call('/api/audit', undefined, { headers: { cookie } });
    await server.stop();
    expect(body.keys).toEqual([]);
    expect(conversations.total).toBe(1);
    const deeds = audit.entries.map(({ action, actor }: { action: string; actor: string }) => `${actor} ${action}`);
    expect(deeds).toEqual(expect.arrayContaining(['command-line key.create', 'command-line key.revoke']));
  });
});

describe.concurrent('with a server', () => {
  it('finds the one that runs where the settings say, and says what it needs if that one is locked', async () => {
    const server = await startTestServer();
    const { port } = new URL(server.url);
    const environment = environmentOf(newHome(), { PORT: port });
    expect(await run(['chat', '/say Hello'], environment)).toMatchObject({ code: 0, stdout: 'Hello\n' });
    expect((await server.call('/api/chat/conversations')).body.total).toBe(1);
    await server.call('/api/auth/signup', { email: 'a@example.com', password: 'a long password', name: 'A' });
    const locked = await run(['chat', '/say Hello'], environment);
    expect(locked).toMatchObject({ code: 1, stderr: expect.stringContaining('PROFCLAW_API_KEY') });
    const wrong = await run(['chat', '/say Hello'], { ...environment, PROFCLAW_API_KEY: 'profclaw_wrong' });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('does not take the key') });
    await server.stop();
  });

  it('goes on where it was when the server is restarted in the middle of an answer', async () => {
    const environment = { PORT: `${await freePort()}`, PROFCLAW_HOME: `${newHome()}/server` };
    const first = start(environment);
    const url = await first.listening;
    const terminal = atTerminal(['chat', '--server', url, '--mode', 'full'], environmentOf(newHome()));
    await terminal.sees(/^> /m);
    terminal.type(
      KEYS.paste('/say Before\r/tool list_directory\r/next\r/say One two three four five six\r/stream 6 300'),
    );
    const typed = await terminal.sees('/stream 6 300');
    terminal.type(KEYS.enter);
    await terminal.sees('One', typed);
    first.child.kill('SIGKILL');
    await first.ended;
    const lost = await terminal.sees(/cannot be reached|connection was lost/, typed);
    start(environment);
    await terminal.sees('The server is there again', lost);
    await terminal.sees('Begun anew', lost);
    const end = await terminal.sees('One two three four five six', lost);
    await terminal.sees(/tokens · demo/, end);
    terminal.type(KEYS.end);
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen.text().match(/✓ list_directory/g)).toHaveLength(1);
  });
});
