import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countProcesses } from '../tools/rig.ts';
import { afterwards, callOf, heardIn, programOf, serverOf, testFolder, testLog } from './rig.ts';

/** For what fails once and for all. */
const ONCE = { retryAfter: 60_000, retryAtMost: 60_000 };

it('tools of a program are listed and called', async () => {
  const server = await serverOf(programOf('plain'));
  expect(server.state).toMatchObject({ state: 'connected', server: { name: 'plain', protocol: '2025-06-18' } });
  expect(server.tools.map(({ name }) => name)).toContain('mcp__test__echo');
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
  expect(await callOf(server, 'echo', { text: 'structured' })).toEqual({ text: '{"a":1}', isError: false });
  expect(await callOf(server, 'fails')).toEqual({ text: 'it went wrong', isError: true });
  expect((await callOf(server, 'echo', {})).text).toBe('The arguments do not fit: text: is required');
});

it('of pictures, sounds and files a model hears what they are', async () => {
  const server = await serverOf(programOf('plain'));
  expect((await callOf(server, 'parts')).text.split('\n')).toEqual([
    'one',
    '[image, image/png, 300 bytes: not shown]',
    '[audio, audio/wav, 3 bytes: not shown]',
    '[link to a resource: "a", "file:///a"]',
    '[resource "file:///b"]',
    'two',
    '[resource "file:///c", of an unknown type, 3 bytes: not shown]',
    '[a part of the type "hologram": not shown]',
    '[a part that cannot be read]',
  ]);
});

it('a program finds in its environment what is meant for it, and nothing of the server’s', async () => {
  process.env.ANTHROPIC_API_KEY = 'sk-ant-of-the-server';
  afterwards(async () => delete process.env.ANTHROPIC_API_KEY);
  const server = await serverOf(programOf('plain', { env: { TOKEN: 'its own token' } }));
  const { text } = await callOf(server, 'environment');
  expect(Object.keys(JSON.parse(text)).toSorted()).toEqual(['PATH', 'TOKEN']);
});

it('nothing is offered to a server, and what it asks of us is refused', async () => {
  const heard = join(testFolder(), 'heard');
  const server = await serverOf(programOf('calls-back', {}, heard));
  expect(await callOf(server, 'echo')).toEqual({ text: 'asked', isError: false });
  const messages = heardIn(heard);
  expect(messages[0]).toMatchObject({ method: 'initialize' });
  expect(messages[0].params.capabilities).toEqual({});
  const answers = messages.filter(({ id }) => String(id).startsWith('c')).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(answers.map(({ id, error, result }) => [id, error?.code ?? result])).toEqual([
    ['c1', -32601],
    ['c2', -32601],
    ['c3', -32601],
    ['c4', {}],
  ]);
});

it.for([
  ['answers-twice', 'first'],
  ['wrong-ids', 'for you'],
  ['invalid', 'after all that'],
  ['floods-stderr', 'done'],
  ['not-a-result', '(no output)'],
] as const)('a server that does this is put up with: %s', async ([behaviour, text]) => {
  const server = await serverOf(programOf(behaviour));
  for (let n = 0; n < 2; n++) expect(await callOf(server, 'echo')).toEqual({ text, isError: false });
  expect(server.state.state).toBe('connected');
});

it('of what a program writes on standard error, so much goes into the log', async () => {
  const { log, lines } = testLog();
  const server = await serverOf(programOf('floods-stderr'), { log });
  expect((await callOf(server, 'echo')).text).toBe('done');
  await expect.poll(() => lines.some((line) => line.includes('more of its standard error is left out'))).toBe(true);
  const said = lines.map((line) => String(JSON.parse(line).msg)).filter((line) => line.startsWith('line '));
  // A minute may have gone by between two of them.
  expect(said.length).toBeLessThan(180);
  expect(Math.max(...said.map(({ length }) => length))).toBe(1000);
});

it.for([
  ['huge', /failed: the connection was closed/, /a line of over 10485760 bytes/],
  ['floods', /failed: the connection was closed/, /more messages than anybody needs/],
  ['exits', /failed: the connection was closed/, /exit code 3; the last that it has said is \\"out of order\\"/],
] as const)('a server that does this is let go of, and started again: %s', async ([behaviour, text, message]) => {
  const { log, lines } = testLog();
  const server = await serverOf(programOf(behaviour), { log });
  const outcome = await callOf(server, 'echo');
  expect(outcome).toEqual({ text: expect.stringMatching(text), isError: true });
  await expect.poll(() => server.state.state).toBe('connected');
  expect(lines.join('')).toMatch(message);
  expect(server.tools).not.toEqual([]);
});

it.for([
  ['exits-at-once', /exit code 2; the last that it has said is "cannot start with \[secret\]"/],
  ['silent', /it did not answer within 1 s/],
  ['old-protocol', /protocol version is not supported: 1999-01-01/],
] as const)('a server that does this has failed, and says why: %s', async ([behaviour, message]) => {
  const { hide } = await import('../../src/core/redactor.ts');
  hide('mcp', ['a-token-of-the-program']);
  const { log, lines } = testLog();
  const program = programOf(behaviour, { env: { TOKEN: 'a-token-of-the-program' } });
  const server = await serverOf(program, {
    log,
    clocks: { ...ONCE, ...(behaviour === 'silent' ? { connect: 1000 } : {}) },
  });
  expect(server.state).toMatchObject({ state: 'failed', message: expect.stringMatching(message) });
  expect(server.tools).toEqual([]);
  expect(lines.join('')).not.toContain('a-token-of-the-program');
});

it('a program that is not there has failed, and says so', async () => {
  const server = await serverOf({ command: 'no-such-program-anywhere' }, { clocks: ONCE });
  expect(server.state.message).toBe('there is no program "no-such-program-anywhere", or no folder to start it in');
});

it('an error of the server’s is an outcome, without secrets', async () => {
  const { hide } = await import('../../src/core/redactor.ts');
  hide('mcp', ['a-token-that-it-repeats']);
  const server = await serverOf(programOf('refuses', { env: { TOKEN: 'a-token-that-it-repeats' } }));
  expect(await callOf(server, 'echo')).toEqual({
    text: expect.stringMatching(/^The MCP server test failed: .*no such thing as \[secret\]$/),
    isError: true,
  });
  expect(server.state.state).toBe('connected');
});

it('a call that never comes back has a time-out, and the server is told', async () => {
  const heard = join(testFolder(), 'heard');
  const server = await serverOf(programOf('plain', {}, heard), { timeout: 1 });
  expect(await callOf(server, 'slow')).toEqual({
    text: 'The MCP server test failed: it did not answer in time',
    isError: true,
  });
  await expect.poll(() => heardIn(heard).at(-1)?.method).toMatch(/cancelled|ping/);
  const call = heardIn(heard).find(({ method }) => method === 'tools/call');
  const cancelled = heardIn(heard).find(({ method }) => method === 'notifications/cancelled');
  expect(cancelled.params.requestId).toBe(call.id);
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
});

it('progress gives a call more time, and is passed on', async () => {
  // It takes 2 s.
  const server = await serverOf(programOf('plain'), { timeout: 1, clocks: { progressTimes: 1000 } });
  const seen: string[] = [];
  const outcome = await callOf(server, 'progress', { text: '' }, { progress: (text) => void seen.push(text) });
  expect(outcome).toEqual({ text: 'there', isError: false });
  expect(seen.slice(0, 2)).toEqual(['step 1\n', 'step 2\n']);
});

it('but not more and more', async () => {
  const server = await serverOf(programOf('plain'), { timeout: 0.5, clocks: { progressTimes: 2 } });
  const outcome = await callOf(server, 'progress', { text: 'for ever' });
  expect(outcome).toEqual({ text: expect.stringMatching(/did not answer in time/), isError: true });
});

it('a cancelled call ends at once with why it was, and the server is told', async () => {
  const heard = join(testFolder(), 'heard');
  const server = await serverOf(programOf('plain', {}, heard));
  const controller = new AbortController();
  const call = callOf(server, 'slow', { text: '' }, { signal: controller.signal });
  await expect.poll(() => heardIn(heard).some(({ method }) => method === 'tools/call')).toBe(true);
  controller.abort(new Error('changed my mind'));
  await expect(call).rejects.toThrow('changed my mind');
  await expect.poll(() => heardIn(heard).at(-1)?.method).toBe('notifications/cancelled');
});

it('a server that does not answer when it is asked whether it is there is started anew', async () => {
  const { log, lines } = testLog();
  const server = await serverOf(programOf('never-answers'), { log, clocks: { ping: 100, pingEvery: 100 } });
  await expect.poll(() => lines.join('')).toMatch(/a server of tools is not there: it did not answer in time/);
  await expect.poll(() => server.state.state).toBe('connected');
});

it.for(['stubborn', 'careless'])(
  'a program ends with all that it has started, whatever it does: %s',
  async (behaviour) => {
    const word = `${behaviour}-${process.pid}-${Date.now()}`;
    const server = await serverOf(programOf(behaviour, {}, word));
    expect(server.state.state).toBe('connected');
    await expect.poll(() => countProcesses(word)).toBe(2);
    await server.stop();
    await expect.poll(() => countProcesses(word)).toBe(0);
  },
);

it('a list that changes is looked at again, but not for every word of it', async () => {
  const heard = join(testFolder(), 'heard');
  const server = await serverOf(programOf('changing', {}, heard), { clocks: { listEvery: 200 } });
  await expect.poll(() => server.tools.map(({ name }) => name)).toEqual(['mcp__test__new']);
  const lists = heardIn(heard).filter(({ method }) => method === 'tools/list');
  expect(lists.length).toBeLessThan(5);
});

it.for([
  ['pages', ['mcp__test__one', 'mcp__test__three', 'mcp__test__two']],
  ['circle', ['mcp__test__page-a', 'mcp__test__page-b', 'mcp__test__page-first']],
] as const)('all pages of a list are read, each once: %s', async ([behaviour, names]) => {
  const heard = join(testFolder(), 'heard');
  const server = await serverOf(programOf(behaviour, {}, heard));
  expect(server.tools.map(({ name }) => name)).toEqual(names);
  expect(heardIn(heard).filter(({ method }) => method === 'tools/list')).toHaveLength(3);
});

it('a list without an end, and one of ten thousand, are cut', async () => {
  expect((await serverOf(programOf('endless'))).tools).toHaveLength(50);
  const many = await serverOf(programOf('many'));
  expect(many.tools).toHaveLength(200);
  expect(many.skipped).toHaveLength(200);
  const chosen = await serverOf(programOf('many', { tools: ['tool-7', 'tool-4999'] }));
  expect(chosen.tools.map(({ name }) => name)).toEqual(['mcp__test__tool-4999', 'mcp__test__tool-7']);
  expect(chosen.skipped).toEqual([]);
});

it('odd tools are made fit, or left out with the reason', async () => {
  const server = await serverOf(programOf('odd', { levels: { read: 'safe', lies: 'moderate' } }));
  expect(server.state.message).toBe('');
  const byName = new Map(server.tools.map((tool) => [tool.name, tool]));
  for (const name of byName.keys()) expect(name).toMatch(/^mcp__test__[\w-]{1,53}$/);
  expect([...byName.keys()].filter((name) => name.startsWith('mcp__test__a_b_'))).toHaveLength(3);
  expect(byName.get('mcp__test__twice')?.description).toBe('the first');
  expect(byName.get('mcp__test__hidden')?.description).toBe('seen<U+202E> and not');
  expect(byName.get('mcp__test__wordy')?.description).toHaveLength(2000);
  expect(byName.get('mcp__test__no-schema')?.inputSchema).toEqual({ type: 'object', properties: {} });
  const reasons = Object.fromEntries(server.skipped.map(({ tool, reason }) => [tool, reason]));
  expect(reasons).toEqual({
    '': 'its name is empty or too long',
    [`${'y'.repeat(199)}…`]: 'its name is empty or too long',
    twice: 'another one has the same name',
    'text-schema': 'its schema is not of type object',
    'array-schema': 'its schema is not an object',
    elsewhere: 'its schema refers to another document',
    enum: 'its schema has over 3000 parts',
    'very-deep': 'its schema is nested over 20 levels deep',
  });
  const rights = (name: string): unknown => {
    const { level, effect, isForSandbox } = byName.get(`mcp__test__${name}`)!;
    return [level, effect, isForSandbox];
  };
  expect(rights('twice')).toEqual(['dangerous', 'unsafe', false]);
  expect(rights('read')).toEqual(['safe', 'read', false]);
  expect(rights('again')).toEqual(['moderate', 'idempotent', false]);
  expect(rights('destroys')).toEqual(['dangerous', 'idempotent', false]);
  expect(rights('lies')).toEqual(['moderate', 'unsafe', false]);
  // Neither is followed.
  expect(byName.get('mcp__test__loop')?.check({ a: { a: { a: {} } } })).toEqual([]);
  expect(byName.get('mcp__test__regex')?.check({ a: `${'a'.repeat(50)}!` })).toEqual([]);
});
