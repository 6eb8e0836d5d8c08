import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getConversation } from '../../src/storage/conversations.ts';
import { insertMessages } from '../../src/storage/messages.ts';
import { openAiAnswer } from '../contract/upstream.ts';
import type { Json } from '../server.ts';
import { content, EVERYTHING, PIXEL, settings } from './everything.ts';
import { CONVERSATIONS, type Rig, startRig } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
beforeEach(() => rig.upstream.reset());

async function download(id: string, format: string): Promise<{ text: string; headers: Headers }> {
  const response = await fetch(`${rig.server.url}${CONVERSATIONS}/${id}/export?format=${format}`);
  expect(response.status).toBe(200);
  return { text: await response.text(), headers: response.headers };
}

const markdown = async (id: string): Promise<string> => (await download(id, 'markdown')).text;

describe('export and import', () => {
  it('come to the same conversation', async () => {
    const given = { title: 'Ünï', presetId: 'writer', metadata: { a: [1] }, model: 'gpt-4o', systemPrompt: 'S' };
    const first = await rig.export((await rig.import({ conversation: given, messages: EVERYTHING })).id);
    expect(first).toMatchObject({ format: 'profclaw.conversation', version: 1, conversation: given });
    expect(first.messages).toMatchObject(EVERYTHING);
    const second = await rig.export((await rig.import(first)).id);
    expect(settings(second.conversation)).toEqual(settings(first.conversation));
    expect(second.conversation.messageCount).toBe(EVERYTHING.length);
    expect(second.messages.map(content)).toEqual(first.messages.map(content));
    expect(second.messages.map(({ seq }: Json) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set([...first.messages, ...second.messages].map(({ id }: Json) => id)).size).toBe(10);
    expect((await rig.read(second.conversation.id)).messages).toMatchObject(
      EVERYTHING.map(({ toolCalls, ...message }) => ({
        ...message,
        toolCalls: toolCalls?.map(({ origin, data, ...call }: Json) => call) ?? [],
      })),
    );
  });

  it('of what was cleared: nothing comes back from the preset', async () => {
    const own = { name: 'N', systemPrompt: 'S', model: 'openai/gpt-4o' };
    const { preset } = (await rig.server.call('/api/chat/presets', own)).body;
    const { id } = await rig.create({ presetId: preset.id });
    await rig.patch(id, { model: null, systemPrompt: null });
    const again = await rig.import(await rig.export(id));
    expect(again).toMatchObject({ presetId: preset.id, model: null, systemPrompt: null });
    // What is not said at all is the preset's.
    const bare = await rig.import({ conversation: { presetId: preset.id }, messages: [] });
    expect(bare).toMatchObject({ model: 'openai/gpt-4o', systemPrompt: 'S' });
  });

  it('the copy goes on with the same history', async () => {
    const { id } = await rig.create({ systemPrompt: 'S' });
    const tool = { id: 'c1', function: { name: 'look', arguments: '{"at":1}' } };
    rig.upstream.replies.push({ json: openAiAnswer({ content: 'Hm.', tool_calls: [tool] }, 'tool_calls') });
    const tools = [{ name: 'look', parameters: {} }];
    const complete = (message: object) =>
      rig.server.call('/api/chat/completions', {
        conversationId: id,
        model: 'gpt-4o-mini',
        tools,
        messages: [message],
      });
    await complete({ role: 'user', content: 'Look' });
    await complete({ role: 'tool', toolCallId: 'c1', content: 'seen' });
    const sent = async (to: string): Promise<Json> => {
      await rig.send(to, 'And now?');
      return rig.upstream.sent.at(-1)!.body.messages;
    };
    const copy = await rig.import(await rig.export(id));
    const history = await sent(id);
    expect(history).toMatchObject([{}, {}, { tool_calls: [tool] }, { role: 'tool', content: 'seen' }, {}, {}]);
    expect(await sent(copy.id)).toEqual(history);
  });

  it('leaves out what failed, is under way, or is made anew', async () => {
    const at = { id: 'msg_theirs', conversationId: 'conv_theirs', seq: 77, error: { code: 'x', message: 'y' } };
    const made = await rig.import({
      conversation: { id: 'conv_theirs', usage: { cost: 5 }, createdAt: 'x', messageCount: 9, title: 'T' },
      messages: [
        { role: 'user', content: 'one', ...at, status: 'failed' },
        { role: 'user', content: 'two', ...at, status: 'running' },
        { role: 'user', content: 'three', ...at },
      ],
    });
    expect(made).toMatchObject({ title: 'T', messageCount: 1, usage: { cost: null } });
    const { messages } = await rig.read(made.id);
    expect(messages).toMatchObject([{ content: 'three', seq: 1, conversationId: made.id, error: null }]);
    expect(messages[0].id).not.toBe('msg_theirs');
  });

  it('make a title of the first message if there is none', async () => {
    const messages = [
      { role: 'assistant', content: 'How can I help?' },
      { role: 'user', content: [{ type: 'image', image: PIXEL }] },
      { role: 'user', content: 'The first words' },
    ];
    for (const conversation of [{}, { title: '' }]) {
      const made = await rig.import({ conversation, messages });
      expect(made.title).toBe('The first words');
      expect((await rig.list('?q=first words')).conversations[0].id).toBe(made.id);
    }
    expect((await rig.import({ messages: [] })).title).toBe('');
  });

  it('are files', async () => {
    const { id } = await rig.create({ title: 'T' });
    for (const [format, type, ending] of [
      ['json', 'application/json', 'json'],
      ['markdown', 'text/markdown', 'md'],
    ] as const) {
      const { headers } = await download(id, format);
      expect(headers.get('content-type')).toBe(`${type}; charset=utf-8`);
      expect(headers.get('content-disposition')).toBe(`attachment; filename="${id}.${ending}"`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await rig.export(id)).messages).toEqual([]);
  });
});

it('a page has no more than 16 MB of messages, but always one', async () => {
  const { id } = await rig.create();
  const database = await rig.open();
  const { number } = (await getConversation(database.db, 'local', id))!;
  const sizes = [1, 20, 1, 5, 5, 5, 5].map((megabytes) => megabytes * 2 ** 20);
  const messages = sizes.map((size, i) => {
    const body = JSON.stringify({ content: `${i}`.padEnd(size, 'x') });
    const rest = { role: 'user', status: 'complete', tokens: 1, createdAt: '2026-01-01T00:00:00.000Z' } as const;
    return { ...rest, id: `msg_${i}`, body, words: '', calls: [] };
  });
  await insertMessages(database.db, { owner: 'local', conversation: number, turn: 't', firstSeq: 1 }, messages);
  await database.close();
  const pages: [string, number][][] = [];
  for (let before = ''; ; ) {
    const page = await rig.read(id, before);
    pages.push(page.messages.map(({ content: text }: Json) => [text[0], text.length]));
    if (!page.hasMore) break;
    before = `?before=${page.nextBefore}`;
  }
  const wanted = [[4, 5, 6], [2, 3], [1], [0]].map((page) => page.map((i) => [`${i}`, sizes[i]]));
  expect(pages).toEqual(wanted);
});

describe('Markdown', () => {
  it('reads well', async () => {
    const { id } = await rig.import({ conversation: { title: 'A talk' }, messages: EVERYTHING });
    const text = await markdown(id);
    expect(text).toBe(`# A talk

## User

Look at these

_A image: image/png_

_A image: https://example.com/a.png_

_A file: application/pdf_

_A file: text/plain_

## Assistant (claude-next)

Let me see.

Called \`look\`:

\`\`\`json
{
  "a": [
    1,
    {
      "b": null
    }
  ],
  "z": "ü"
}
\`\`\`

\`\`\`text
seen
\`\`\`

Called \`look\`:

\`\`\`json
{}
\`\`\`

\`\`\`text

\`\`\`

Called \`look\`:

\`\`\`json
{}
\`\`\`

## Assistant

## User

Thanks

## Assistant (m)

You are welcome
`);
  });

  it('a code fence inside a result or an argument cannot break out', async () => {
    const evil = ['```\n# Out', '````\n```` \n# Out', `${'`'.repeat(50)}\n# Out`, '~~~\n# Out', '\r```\r# Out'];
    const toolCalls = evil.map((result, i) => ({ id: `c${i}`, name: 'look', arguments: { [result]: result }, result }));
    const { id } = await rig.import({ messages: [{ role: 'assistant', content: 'x', toolCalls }] });
    let fence: string | undefined;
    const outside = (await markdown(id)).split(/\r\n|\n|\r/).filter((line) => {
      const [, run, rest] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
      if (run === undefined) return fence === undefined;
      if (fence === undefined) fence = run;
      else if (run.startsWith(fence) && rest?.trim() === '') fence = undefined;
      return false;
    });
    expect(fence).toBeUndefined();
    expect(outside.filter((line) => line.startsWith('# '))).toEqual(['# Conversation']);
    expect(outside.filter((line) => line.startsWith('Called'))).toHaveLength(evil.length);
  });
});
