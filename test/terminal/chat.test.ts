import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { type AtTerminal, atTerminal, cleanUp, environmentOf, KEYS, newHome } from './rig.ts';
import { withoutEscapes } from './screen.ts';

vi.setConfig({ testTimeout: 150_000 });

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  cleanUp();
  await server.stop();
});

const WRITE = '/tool write_file {"path": "notes.txt", "content": "Hello."}';

/** `profclaw chat` at a terminal, with the server of these tests. */
async function chat(words: string[] = [], home = newHome(), more: Record<string, string> = {}): Promise<Chat> {
  const terminal = atTerminal(['chat', ...words], environmentOf(home, { PROFCLAW_URL: server.url, ...more }));
  await terminal.sees(/^> /m);
  const says = async (...lines: string[]): Promise<number> => {
    const before = terminal.screen.text().length;
    terminal.type(KEYS.paste(lines.join('\r')));
    const typed = await terminal.sees(lines.at(-1)?.slice(-40) ?? '', before);
    terminal.type(KEYS.enter);
    return typed;
  };
  return { ...terminal, home, says };
}

interface Chat extends AtTerminal {
  home: string;
  /** Sends a message of several lines, as one that is pasted. @returns where it ends on the screen. */
  says(...lines: string[]): Promise<number>;
}

async function leave(terminal: AtTerminal): Promise<void> {
  terminal.type(KEYS.end);
  expect(await terminal.ended).toBe(0);
  expect(terminal.raw().lastIndexOf('[?2004l')).toBeGreaterThan(terminal.raw().lastIndexOf('[?2004h'));
  expect(terminal.screen.unknown).toEqual([]);
}

describe.concurrent('chat at a terminal', () => {
  it('shows the answer as it comes, how long was thought, and what it took', async () => {
    const terminal = await chat();
    const said = await terminal.says('/reason Let me see', '/say One two three', '/stream 3 30');
    const answer = await terminal.sees('One two three', said);
    await terminal.sees(/\d+ tokens · demo/, answer);
    expect(terminal.screen.text().slice(said)).toContain('thought for');
    expect(terminal.screen.text().slice(said)).not.toContain('Let me see');
    await terminal.sees(/^> $/m, answer);
    await leave(terminal);
    expect(terminal.screen.text()).toMatch(/To go on: profclaw chat --resume conv_\w+/);
  });

  it('asks about a call at the prompt, and carries it out after y', async () => {
    const terminal = await chat();
    const said = await terminal.says(WRITE, '/next', '/say Written.');
    const asked = await terminal.sees('[y/a/A/n/e]', said);
    expect(terminal.screen.text()).toContain('path: "notes.txt"');
    terminal.type(`y${KEYS.enter}`);
    const done = await terminal.sees(/✓ write_file notes\.txt.*6 bytes written/, asked);
    await terminal.sees('Written.', done);
    await terminal.sees(/^> $/m, done);
    await leave(terminal);
  });

  it('refuses a call after n, with the reason, and a mere Enter decides nothing', async () => {
    const terminal = await chat();
    const said = await terminal.says(WRITE, '/next', '/say So be it.');
    const asked = await terminal.sees('[y/a/A/n/e]', said);
    terminal.type(KEYS.enter);
    const again = await terminal.sees('Nothing was decided', asked);
    await terminal.sees('[y/a/A/n/e]', again);
    terminal.type(`n not today${KEYS.enter}`);
    const refused = await terminal.sees(/✗ write_file notes\.txt +refused/, again);
    await terminal.sees('So be it.', refused);
    await leave(terminal);
  });

  it('carries out what the person has made of a call', async () => {
    const terminal = await chat();
    const said = await terminal.says(WRITE.replace('notes', 'edited'), '/next', '/say Good.');
    await terminal.sees('[y/a/A/n/e]', said);
    terminal.type(`e${KEYS.enter}`);
    await terminal.sees('Arguments: {"path":"edited.txt","content":"Hello."}');
    terminal.type(`${KEYS.left.repeat(2)}!!${KEYS.enter}`);
    const shown = await terminal.sees('"content": "Hello.!!"', await terminal.sees('As you have changed it:', said));
    await terminal.sees('[y/n/e]', shown);
    terminal.type(`y${KEYS.enter}`);
    await terminal.sees(/✓ write_file/, shown);
    await terminal.sees(/✓ write_file.*8 bytes written|✓ write_file.*lines/);
    await terminal.sees('Good.', said);
    await leave(terminal);
    expect(readFileSync(join(server.home, 'workspace/edited.txt'), 'utf8')).toBe('Hello.!!');
  });

  it('lets a call be edited in $EDITOR, and asks again if that does not fit', async () => {
    const terminal = await chat([], newHome(), { EDITOR: 'sed -i -e s/Hello/Bye/ -e s/content/contents/' });
    const said = await terminal.says(WRITE, '/next', '/say Good.');
    let at = await terminal.sees('[y/a/A/n/e]', said);
    terminal.type(`e${KEYS.enter}`);
    at = await terminal.sees('[y/n/e]', at);
    expect(terminal.screen.text().slice(said)).toContain('"contents": "Bye."');
    terminal.type(`y${KEYS.enter}`);
    at = await terminal.sees(/contents/, at);
    at = await terminal.sees('[y/a/A/n/e]', at);
    terminal.type(`n${KEYS.enter}`);
    at = await terminal.sees('Why not?', at);
    terminal.type(KEYS.enter);
    at = await terminal.sees(/✗ write_file notes\.txt +refused/, at);
    await terminal.sees('Good.', at);
    await leave(terminal);
  });

  it.each([
    ['that changes nothing', 'true', 'Nothing was changed.'],
    ['that is not there', 'no-such-editor', 'The editor failed: no-such-editor'],
  ])('does nothing after an editor %s, and says how to answer when the person leaves', async (_, program, says) => {
    const terminal = await chat([], newHome(), { EDITOR: program });
    const said = await terminal.says(WRITE, '/next', '/say Good.');
    let at = await terminal.sees('[y/a/A/n/e]', said);
    terminal.type(`e${KEYS.enter}`);
    at = await terminal.sees(says, at);
    at = await terminal.sees('[y/a/A/n/e]', at);
    await leave(terminal);
    expect(terminal.screen.text()).toMatch(/It waits for your answer:\n {2}profclaw runs approve approval_\w+/);
    expect(terminal.screen.text()).not.toContain('✓ write_file');
  });

  it('says at once that a file cannot be sent, and keeps the others if one is gone when it is sent', async () => {
    const home = newHome();
    const [stays, goes] = [join(home, 'stays.txt'), join(home, 'goes.txt')];
    writeFileSync(stays, 'It stayed.');
    writeFileSync(goes, 'It went.');
    const terminal = await chat([], home);
    terminal.type(`/file /no/such${KEYS.enter}`);
    let at = await terminal.sees('/no/such cannot be read');
    terminal.type(`/file ${stays}${KEYS.enter}`);
    at = await terminal.sees('With the next message', at);
    terminal.type(`/file ${goes}${KEYS.enter}`);
    at = await terminal.sees('goes.txt\n', at);
    rmSync(goes);
    terminal.type(`/say Seen${KEYS.enter}`);
    at = await terminal.sees('cannot be read', at);
    at = await terminal.sees('> /say Seen', at);
    terminal.type(KEYS.enter);
    at = await terminal.sees('tokens · demo', at);
    await leave(terminal);
    const [, id = ''] = /--resume (conv_\w+)/.exec(terminal.screen.text()) ?? [];
    const { body } = await server.call(`/api/chat/conversations/${id}`);
    expect(JSON.stringify(body.messages[0].content)).toContain('It stayed.');
  });

  it('shows what it lets be edited at the prompt with nothing in it that acts on the terminal', async () => {
    const terminal = await chat();
    const escaped = '{"path":"x.txt","content":"\\u009b2J\\u202e"}';
    const said = await terminal.says(`/tool write_file ${escaped}`, '/next', '/say Good.');
    await terminal.sees('[y/a/A/n/e]', said);
    terminal.type(`e${KEYS.enter}`);
    await terminal.sees(`Arguments: ${escaped}`);
    expect(terminal.raw()).not.toMatch(/[\u009b\u202e]/);
    terminal.type(KEYS.enter);
    await terminal.sees('Nothing was changed.');
    await leave(terminal);
  });

  it('stops the run with Ctrl+C, keeps what was said, and leaves with the next one', async () => {
    const terminal = await chat();
    const said = await terminal.says('/say One two three', '/stall');
    await terminal.sees('One two three', said);
    terminal.type(KEYS.interrupt);
    const cancelled = await terminal.sees('Cancelled.');
    await terminal.sees(/^> $/m, cancelled);
    terminal.type(KEYS.interrupt);
    expect(await terminal.ended).toBe(0);
    const { body } = await server.call('/api/chat/runs?limit=100');
    expect(body.runs.map(({ status }: { status: string }) => status)).toContain('cancelled');
  });

  it('says to a run what is typed meanwhile, without tearing what comes apart', async () => {
    const terminal = await chat(['--mode', 'full']);
    const said = await terminal.says(
      '/say Working on it',
      '/stream 12 150',
      '/tool list_directory',
      '/next',
      '/tool list_directory {"path": "."}',
    );
    await terminal.sees('Working', said);
    terminal.type('hurry up');
    await terminal.sees('» hurry up');
    terminal.type(KEYS.enter);
    const end = await terminal.sees(/You also said: “hurry up”/);
    await terminal.sees(/^> $/m, end);
    await leave(terminal);
  });
});

describe.concurrent('what is typed', () => {
  it('is one message although it has several lines, and is kept for the next time, for nobody else', async () => {
    const terminal = await chat();
    terminal.type(`/say first\\${KEYS.enter}`);
    await terminal.sees(/> \/say first\n {2}$/);
    terminal.type(`/length 1${KEYS.enter}`);
    const end = await terminal.sees(/tokens · demo/);
    await terminal.sees(/^> $/m, end);
    await leave(terminal);
    const file = join(terminal.home, 'profclaw/chat-history');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const other = await chat([], terminal.home);
    other.type(KEYS.up);
    await other.sees('> /say first\n  /length 1');
    other.type(KEYS.interrupt);
    await other.sees(/^> $/m);
    await leave(other);
  });

  it('can be an order: for the mode, the model, the usage, a title', async () => {
    const terminal = await chat();
    terminal.type(`/mode full${KEYS.enter}`);
    let at = await terminal.sees('Mode: full');
    terminal.type(`/model demo${KEYS.enter}`);
    at = await terminal.sees('Model: demo', at);
    terminal.type(`/mod ${KEYS.interrupt}/effo${KEYS.tab}`);
    await terminal.sees('> /effort ', at);
    terminal.type(`high${KEYS.enter}`);
    at = await terminal.sees('Effort: high', at);
    terminal.type(`/say Hello${KEYS.enter}`);
    at = await terminal.sees('tokens · demo', at);
    terminal.type(`/title My talk${KEYS.enter}`);
    at = await terminal.sees('Title: My talk', at);
    terminal.type(`/usage${KEYS.enter}`);
    at = await terminal.sees(/\d+ tokens in, 1 out/, at);
    terminal.type(`/usgae${KEYS.enter}`);
    at = await terminal.sees('did you mean /usage?', at);
    terminal.type(`/quit${KEYS.enter}`);
    expect(await terminal.ended).toBe(0);
  });
});

it('keeps the list of commands within a narrow screen', async () => {
  const terminal = atTerminal(['chat'], environmentOf(newHome(), { PROFCLAW_URL: server.url }), { columns: 40 });
  await terminal.sees(/^> /m);
  terminal.type(`/help${KEYS.enter}`);
  const end = await terminal.sees('as it is.');
  await terminal.sees(/^> $/m, end);
  await leave(terminal);
  const lines = terminal.raw().slice(terminal.raw().indexOf('/model')).split('\r\n');
  for (const line of lines) expect(withoutEscapes(line).length).toBeLessThanOrEqual(39);
});

describe.concurrent('--resume', () => {
  it('shows the last turns and goes on in the same conversation', async () => {
    const first = await chat();
    first.type(`/say The first answer${KEYS.enter}`);
    await first.sees('tokens · demo');
    await leave(first);
    const [, id = ''] = /--resume (conv_\w+)/.exec(first.screen.text()) ?? [];
    const second = await chat(['--resume', id]);
    await second.sees('> /say The first answer');
    await second.sees(/^The first answer/m);
    second.type(`/say The second answer${KEYS.enter}`);
    await second.sees(/tokens · demo/);
    await leave(second);
    const { body } = await server.call(`/api/chat/conversations/${id}`);
    expect(body.messages).toHaveLength(4);
  });

  it('takes up a run that waits for an answer', async () => {
    const first = await chat();
    const said = await first.says(WRITE, '/next', '/say Done at last.');
    await first.sees('[y/a/A/n/e]', said);
    first.type(KEYS.end);
    expect(await first.ended).toBe(0);
    const [, id = ''] = /--resume (conv_\w+)/.exec(first.screen.text()) ?? [];
    const second = atTerminal(['chat', '--resume', id], environmentOf(newHome(), { PROFCLAW_URL: server.url }));
    await second.sees('[y/a/A/n/e]');
    second.type(`y${KEYS.enter}`);
    await second.sees('Done at last.');
    await leave(second);
  });
});

it('lets nothing of what a model says act on the terminal', async () => {
  const evil = 'a\u001b]0;title\u0007b\u001b[2Jc\u001b[?1049hd\u009b31me\u202ef\u0008\u0007g\u001b[6nh';
  const { body } = await server.call('/api/chat/conversations', {});
  const { id } = body.conversation;
  await server.call(`/api/chat/conversations/${id}/messages`, {
    model: 'demo',
    content: `/reason ${evil}\n/say ${evil}`,
  });
  const call = `/tool todo_write ${JSON.stringify({ [evil]: evil })}`;
  const content = `/reason ${evil}\n/say ${evil}\n/stream 40 1\n${call}\n/next\n/say The end`;
  const response = await fetch(`${server.url}/api/chat/conversations/${id}/messages/agentic`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', content }),
  });
  await response.text();
  const { body: list } = await server.call('/api/chat/runs?limit=1');
  const environment = environmentOf(newHome(), { PROFCLAW_URL: server.url });
  const watching = atTerminal(['runs', 'watch', list.runs[0].id, '--thinking'], environment);
  expect(await watching.ended).toBe(0);
  const terminal = await chat(['--resume', id]);
  await terminal.sees('<U+202E>');
  await leave(terminal);
  for (const { screen, raw } of [watching, terminal]) {
    expect(screen.text()).toContain('abcde<U+202E>fg');
    expect(screen.text()).toContain('The end');
    expect(withoutEscapes(raw())).toMatch(/^(?:[\n\r\t]|[^\p{Cc}\u202e])*$/u);
  }
});
