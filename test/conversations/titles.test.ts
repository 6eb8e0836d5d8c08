import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { openAiAnswer } from '../contract/upstream.ts';
import { type Json, startTestServer } from '../server.ts';
import { CONVERSATIONS, type Rig, startRig } from './rig.ts';

const IMAGE = { type: 'image', image: 'data:image/png;base64,AAAA' };
const FAMILY = '👩‍👩‍👧‍👦';

describe('a title of the first message', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  const titleAfter = async (content: unknown, fields: object = {}): Promise<string> => {
    const { id } = await rig.create(fields);
    // Its window takes a megabyte.
    expect((await rig.send(id, content, { model: 'gpt-4.1-mini' })).status).toBe(200);
    return (await rig.read(id)).conversation.title;
  };

  it.each<[string, unknown, string]>([
    ['is the message, if it is short', 'Hello there', 'Hello there'],
    ['is its first line with anything on it', ' \n\t\n\u0000\u0007\n \u200b\ufeff\n  First\nsecond', 'First'],
    ['has no control characters', 'a\tb\u0007c\u0000d\u202e\u001b[31me', 'a b c d [31me'],
    ['ends with a whole word', `${'word '.repeat(15)}longest-of-all`, `${'word '.repeat(15).trim()}…`],
    ['is cut within a word if need be', 'x'.repeat(100), `${'x'.repeat(80)}…`],
    ['is cut within a character if need be', `Z${'\u0301'.repeat(100)}`, `Z${'\u0301'.repeat(79)}…`],
    ['does not end with half an emoji', `${'x'.repeat(79)}😀😀`, `${'x'.repeat(79)}…`],
    ['does not end with a part of an emoji', `${'x'.repeat(75)}${FAMILY}`, `${'x'.repeat(75)}…`],
    ['keeps emoji and letters that are joined', `${FAMILY} می‌خواهم 🏴󠁧󠁢󠁳󠁣󠁴󠁿`, `${FAMILY} می‌خواهم 🏴󠁧󠁢󠁳󠁣󠁴󠁿`],
    ['has a mark for half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
    ['ignores pictures', [IMAGE, { type: 'text', text: 'What is this?' }], 'What is this?'],
    [
      'is found among several lines of parts',
      ['', 'Second'].map((text) => ({ type: 'text', text: `\n${text}` })),
      'Second',
    ],
    ['is of a text of a megabyte', 'long '.repeat(200_000), `${'long '.repeat(16).trim()}…`],
  ])('%s', async (_, content, title) => {
    expect(await titleAfter(content)).toBe(title);
  });

  it.each<[string, unknown]>([
    ['white space', ' \n\u3000\t\n '],
    ['invisible characters', '\u200d\u200b\u2060\n\u0000'],
    ['a picture', [IMAGE]],
  ])('waits for words if the first message is only %s', async (_, content) => {
    const { id } = await rig.create();
    await rig.send(id, content);
    expect((await rig.read(id)).conversation.title).toBe('');
    for (const text of ['Words', 'More']) await rig.send(id, text);
    expect((await rig.read(id)).conversation.title).toBe('Words');
  });

  it('is not made if there is one, or was given later', async () => {
    expect(await titleAfter('Hello', { title: 'Given' })).toBe('Given');
    const { id } = await rig.create();
    await rig.patch(id, { title: 'Given' });
    await rig.send(id, 'Hello');
    expect((await rig.read(id)).conversation.title).toBe('Given');
  });

  it('is kept as it was given', async () => {
    for (const title of [' spaces ', 'two\nlines', FAMILY, '\u202eRTL', 'x'.repeat(500)]) {
      expect(await titleAfter('Hello', { title })).toBe(title);
    }
  });

  it('is there although the first turn fails', async () => {
    const { id } = await rig.create();
    rig.upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
    expect((await rig.send(id, 'Hello')).status).toBe(400);
    expect((await rig.read(id)).conversation.title).toBe('Hello');
  });
});

describe('a title of the title model', () => {
  let home: string;
  let rig: Rig;
  let stop: () => Promise<void>;
  let titles: Server;
  /** Calls of the title model that wait for their answer. */
  let asked: { body: Json; answer(content: unknown, status?: number): void }[];

  beforeEach(async () => {
    asked = [];
    titles = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const answer = (content: unknown, status = 200): void => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify(openAiAnswer({ content })));
        };
        asked.push({ body: JSON.parse(text), answer });
      });
    });
    await new Promise<void>((resolve) => titles.listen(0, '127.0.0.1', resolve));
    const { port } = titles.address() as AddressInfo;
    home = mkdtempSync(join(tmpdir(), 'profclaw-titles-'));
    const url = `http://127.0.0.1:${port}`;
    const groq = { GROQ_API_KEY: 'gsk-test', GROQ_BASE_URL: url, PROFCLAW_TITLE_MODEL: 'groq/titles' };
    rig = await startRig(groq, home);
    let stopped: Promise<void> | undefined;
    // A stop waits for what goes on without its caller, as a title does.
    stop = () => {
      stopped ??= rig.stop();
      return stopped;
    };
  });
  afterEach(async () => {
    await stop();
    titles.closeAllConnections();
    titles.close();
    rmSync(home, { recursive: true });
  });

  const conversation = async (id: string): Promise<Json> => (await rig.read(id)).conversation;

  /** Sends a message and waits until the title model is asked. */
  async function begin(content: unknown = 'Hello <b>'): Promise<string> {
    const { id } = await rig.create();
    const before = asked.length;
    expect((await rig.send(id, content, {}, 'An answer')).status).toBe(200);
    await expect.poll(() => asked.length).toBe(before + 1);
    return id;
  }

  /** Waits until the title's answer is counted: then it is decided too. */
  const counted = (id: string, tokens = 20) =>
    expect.poll(async () => (await conversation(id)).usage.totalTokens).toBe(tokens);

  it('replaces the first message’s beginning after the first turn, and is counted', async () => {
    const id = await begin();
    expect(await conversation(id)).toMatchObject({ title: 'Hello <b>', usage: { totalTokens: 10 } });
    const { model, messages } = asked[0]!.body;
    expect([model, messages.length]).toEqual(['titles', 2]);
    expect(messages[1].content).toMatch(/Hello ‹b>.*An answer/s);
    asked[0]!.answer('A made title');
    await expect.poll(async () => (await conversation(id)).title).toBe('A made title');
    expect((await conversation(id)).usage).toMatchObject({ totalTokens: 20, unpricedAnswers: 1 });
    expect((await rig.list('?q=made')).total).toBe(1);
    expect((await rig.list('?q=hello')).total).toBe(1);
    await rig.send(id, 'Once more');
    await stop();
    expect(asked).toHaveLength(1);
  });

  it('is not asked for if the client has given one', async () => {
    const { id } = await rig.create({ title: 'Given' });
    await rig.send(id, 'Hello');
    await stop();
    expect(asked).toEqual([]);
  });

  it('does not replace what the client has given meanwhile', async () => {
    const id = await begin();
    await rig.patch(id, { title: 'Given' });
    asked[0]!.answer('A made title');
    await counted(id);
    expect((await conversation(id)).title).toBe('Given');
  });

  it('comes too late for a conversation that was deleted', async () => {
    const id = await begin();
    expect((await rig.remove(id)).status).toBe(200);
    asked[0]!.answer('A made title');
    const next = await begin('Another');
    asked[1]!.answer('Its title');
    await counted(next);
    expectError(await rig.server.call(`${CONVERSATIONS}/${id}`), 404, 'not_found');
    expect(await rig.list()).toMatchObject({ total: 1, conversations: [{ title: 'Its title' }] });
  });

  it.each<[string, unknown, number]>([
    ['fails', 'x', 400],
    ['has a wrong key', 'x', 401],
    ['says nothing', '', 200],
    ['says only marks', ' "*." ', 200],
    ['says nonsense', { not: 'text' }, 200],
  ])('changes nothing if the title model %s', async (_, content, status) => {
    const id = await begin();
    asked[0]!.answer(content, status);
    expect((await rig.send(id, 'Go on')).status).toBe(200);
    await stop();
    const again = await startTestServer({}, home);
    const { body } = await again.call(`${CONVERSATIONS}/${id}`);
    await again.stop();
    expect(body.conversation).toMatchObject({ title: 'Hello <b>', messageCount: 4 });
  });

  it.each([
    ['"Quoted."', 'Quoted'],
    ['**Bold**', 'Bold'],
    ['# Heading\nand more', 'Heading and more'],
    ['\u0000a\u001bb\ud800', 'a b\ufffd'],
    ['x'.repeat(300), 'x'.repeat(100)],
    [`${'x'.repeat(99)}😀`, 'x'.repeat(99)],
    [FAMILY, FAMILY],
  ])('is one tidy line: %j', async (said, title) => {
    const id = await begin();
    asked[0]!.answer(said);
    await counted(id);
    expect((await conversation(id)).title).toBe(title);
  });

  it('is made of a first message without words too', async () => {
    const id = await begin([IMAGE]);
    asked[0]!.answer('A picture');
    await counted(id);
    expect((await conversation(id)).title).toBe('A picture');
  });

  it('is made after the first answer, also if the first turn has failed', async () => {
    const { id } = await rig.create();
    rig.upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
    expect((await rig.send(id, 'Hello')).status).toBe(400);
    const body = { model: 'gpt-4o-mini' };
    expect((await rig.server.call(`${CONVERSATIONS}/${id}/retry`, body)).status).toBe(200);
    await expect.poll(() => asked.length).toBe(1);
    asked[0]!.answer('A made title');
    await counted(id);
    expect((await conversation(id)).title).toBe('A made title');
  });

  it('is not made of what follows in a copy', async () => {
    const messages = [
      { role: 'user', content: 'Old' },
      { role: 'assistant', content: 'Answer' },
    ];
    const copy = (await rig.server.call(`${CONVERSATIONS}/import`, { messages })).body.conversation;
    await rig.send(copy.id, 'New');
    const fork = (await rig.server.call(`${CONVERSATIONS}/${copy.id}/fork`, {})).body.conversation;
    await rig.send(fork.id, 'New');
    await stop();
    expect([asked, copy.title, fork.title]).toEqual([[], 'Old', 'Old']);
  });
});

it.each(['xai/nope', 'no such model'])('a title model that there is not changes nothing: %s', async (name) => {
  const rig = await startRig({ PROFCLAW_TITLE_MODEL: name });
  const { id } = await rig.create();
  for (const text of ['Hello', 'Go on']) expect((await rig.send(id, text)).status).toBe(200);
  expect((await rig.read(id)).conversation).toMatchObject({ title: 'Hello', messageCount: 4 });
  expect(rig.upstream.sent).toHaveLength(2);
  await rig.stop();
});
