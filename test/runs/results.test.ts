import { beforeAll, describe, expect, it } from 'vitest';
import { shortened } from '../../src/conversations/history.ts';
import { hide } from '../../src/core/redactor.ts';
import { withoutToolData } from '../../src/core/tool-data.ts';
import { readResult } from '../../src/tools/builtin/read-result.ts';
import { type Json, startTestServer } from '../server.ts';
import { type Call, type Model, type Talk, toolCall, talk as toTalk } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, withTools } from './rig.ts';
import { numberedLines, TextTool } from './text-tool.ts';

// A result that is too long for the model is kept as a whole; the model sees its ends, and can read on.

const LONG = 100_000;
const NOTE =
  /\n\[… (\d+) of (\d+) characters are left out here; read_result with the id (result_\w+) and the offset (\d+) reads on …\]\n/;
const FOOT = /\n\[characters (\d+) to (\d+) of (\d+); (?:its end|read_result with the offset (\d+) reads on)\]$/;
const RESULTS = '/api/chat/tools/results';

const GIVE: Reply = [['give', { what: 'text' }]];
const READ = (id: string): Reply => [['read_result', { id }]];

/** The result that a model was sent last. */
const lastSent = (call: Call): string => withoutToolData(call.body.messages.at(-1).content);

onBothDatabases((start) => {
  let rig: RunRig;
  const texts = new TextTool();

  beforeAll(async () => {
    rig = await start({}, (environment, home, box) =>
      startTestServer(environment, home, undefined, [...box.tools, texts.tool, readResult]),
    );
  });

  const remove = (path: string) => rig.server.call(path, undefined, { method: 'DELETE' });
  const kept = async (): Promise<number> => (await rig.db.selectFrom('tool_results').select('id').execute()).length;

  /** A conversation in which a tool has given a text; what its model says next is `more`. */
  async function given(
    text: string,
    ...more: Reply[]
  ): Promise<{ talk: Talk; model: Model; call: Json; runId: string }> {
    texts.put('text', text);
    const { talk, model } = await rig.talk(GIVE, 'Well', ...more);
    const { toolCalls, runId } = await must(withTools(talk, 'Go'));
    return { talk, model, call: toolCalls[0], runId };
  }

  /** All of a result, as people read it. */
  async function whole(id: string, limit = 33_333): Promise<string> {
    let text = '';
    for (let offset: number | null = 0; offset !== null; ) {
      const piece: Json = await must(rig.server.call(`${RESULTS}/${id}?offset=${offset}&limit=${limit}`));
      expect(piece).toMatchObject({ id, offset });
      text += piece.text;
      offset = piece.nextOffset;
    }
    return text;
  }

  it('is sent as it is up to the bound, and kept beyond it', async () => {
    const before = await kept();
    const { call: short } = await given('x'.repeat(30_000));
    expect(short.result).toBe('x'.repeat(30_000));
    expect(short).not.toHaveProperty('resultId');
    expect(await kept()).toBe(before);
    const { call: long } = await given('x'.repeat(30_001));
    expect(long.result.length).toBeLessThan(29_000);
    expect(await whole(long.resultId)).toBe('x'.repeat(30_001));
  });

  it('its ends are what the model gets, with a note; its id is wherever the call is told of', async () => {
    const text = numberedLines(LONG);
    const { talk, model, call, runId } = await given(text);
    const sent = lastSent(model.calls[1]!);
    expect(sent).toBe(call.result);
    const [note, left, total, id, from] = NOTE.exec(sent)!;
    const [head, tail] = sent.split(note!) as [string, string];
    expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
    expect([head.length, Number(total)]).toEqual([Number(from), text.length]);
    expect(Number(left)).toBe(text.length - head.length - tail.length);
    expect(call.resultId).toBe(id);
    const events = await (await rig.watch(runId)).all();
    const [told] = events.filter(({ type }) => type === 'tool:result');
    expect(told!.data).toMatchObject({ result: sent, resultId: id });
    expect((await rig.run(runId)).toolCalls[0]).toEqual(call);
    expect((await talk.messages())[1].toolCalls[0]).toEqual(call);
    expect(await whole(id!)).toBe(text);
    expect(await must(rig.server.call(`${RESULTS}/${id}?offset=10&limit=5`))).toEqual({
      ...{ id, conversationId: talk.id, text: text.slice(10, 15), offset: 10, total: text.length, nextOffset: 15 },
    });
  });

  it('is told of in the stream of a message with tools', async () => {
    texts.put('text', numberedLines(LONG));
    const { talk } = await rig.talk(GIVE, 'Well');
    const { events } = await rig.server.stream(`${talk.path}/messages/with-tools`, { content: 'Go', stream: true });
    const [{ toolResult }] = events.filter((event) => event.toolResult);
    expect(toolResult).toMatchObject({ name: 'give', resultId: expect.stringMatching(/^result_/) });
  });

  it('can be read by the model to its end, as the notes say', async () => {
    const text = numberedLines(LONG);
    texts.put('text', text);
    const read: string[] = [];
    const readOn = (call: Call): void => {
      const sent = lastSent(call);
      const [note, , , id, from] = NOTE.exec(sent) ?? [];
      const [foot, , , , next] = FOOT.exec(sent) ?? [];
      read.push(note === undefined ? sent.slice(0, -(foot?.length ?? 0)) : sent.slice(0, sent.indexOf(note)));
      const offset = Number(from ?? next);
      named = id ?? named;
      const calls = [{ index: 0, ...toolCall(`read-${offset}`, 'read_result', { id: named, offset }) }];
      call.answer(Number.isNaN(offset) ? 'I have read it' : { content: '', tool_calls: calls });
    };
    let named: string | undefined;
    const { watch } = await rig.agent([GIVE, ...Array<Reply>(7).fill(readOn)]);
    const events = await watch.all();
    expect(events.at(-1)).toMatchObject({ type: 'complete', data: { stopReason: 'completed' } });
    expect(read.join('')).toBe(text);
    expect(read.length).toBeGreaterThan(4);
    // What it reads is never cut itself.
    const own = events.filter(({ type, data }) => type === 'tool:result' && data.name === 'read_result');
    for (const { data } of own) expect(data).not.toHaveProperty('resultId');
  });

  it('is cut in its middle if it has millions of characters, and says so', async () => {
    const text = numberedLines(2_500_000);
    const { call } = await given(text);
    expect(call.result).toMatch(
      /2000\d{3} characters are left out here, and of those in its middle some were not kept/,
    );
    const all = await whole(call.resultId, 100_000);
    const [note, left] = /\n\[… (\d+) characters were not kept …\]\n/.exec(all)!;
    const [head, tail] = all.split(note!) as [string, string];
    expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
    expect(head.length + tail.length + Number(left)).toBe(text.length);
    expect(all.length).toBeLessThan(2_000_100);
    expect(all.isWellFormed()).toBe(true);
  });

  it('holds no secret, also where an escape stands in one', async () => {
    hide('test of results', ['sk-very-secret-value']);
    const { call } = await given(`${numberedLines(50_000)}sk-very-\u001b[1msecret-value${numberedLines(20_000)}`);
    hide('test of results', []);
    expect(await whole(call.resultId)).toMatch(/\[secret\]/);
    const rows = await rig.db.selectFrom('tool_results').select('text').where('text', 'like', '%very%').execute();
    expect(rows).toEqual([]);
  });

  it('is not offered to be read where there is no tool for it', async () => {
    texts.put('text', numberedLines(LONG));
    const { talk } = await rig.talk(GIVE, 'Well');
    const { toolCalls } = await must(withTools(talk, 'Go', { tools: ['give'] }));
    expect(toolCalls[0].result).toMatch(/\n\[… \d+ of 100000 characters are left out here …\]\n/);
    expect(await whole(toolCalls[0].resultId)).toHaveLength(LONG);
  });

  describe('belongs to its conversation', () => {
    it('no other one of the same owner reads it, whatever its id', async () => {
      const { call } = await given(numberedLines(LONG));
      const { talk } = await rig.talk(READ(call.resultId), 'Hm', READ(`${call.resultId}\u0000`), 'Hm');
      for (const name of [call.resultId, `${call.resultId}\u0000`]) {
        const { toolCalls } = await must(withTools(talk, 'Read'));
        expect(toolCalls[0]).toMatchObject({
          status: 'error',
          result: expect.stringMatching(/^This conversation has no result with the id "/),
        });
        expect(toolCalls[0].result).toContain(name.slice(0, 20));
      }
      expect((await rig.server.call(`${RESULTS}/result_x`)).status).toBe(404);
      expect((await rig.server.call(`${RESULTS}/%00`)).status).toBe(404);
    });

    it('and to its copies, for as long as it is there', async () => {
      const { talk, call, model } = await given(numberedLines(LONG));
      const { conversation } = await must(rig.server.call(`${talk.path}/fork`, {}));
      const copy = toTalk(rig.server, conversation.id);
      expect((await copy.messages())[1].toolCalls[0]).toEqual(call);
      const asking = rig.vendor.model((asked) => {
        const isFirst = asked.body.messages.at(-1).role === 'user';
        const calls = [{ index: 0, ...toolCall('r', 'read_result', { id: call.resultId, limit: 10 }) }];
        asked.answer(isFirst ? { content: '', tool_calls: calls } : 'Read');
      });
      const read = async (): Promise<Json> =>
        (await must(withTools(copy, 'Read', { model: asking.name }))).toolCalls.at(-1);
      expect(await read()).toMatchObject({ status: 'success', result: expect.stringMatching(/^line 1 of/) });
      expect(model.calls).toHaveLength(2);
      expect((await remove(talk.path)).status).toBe(200);
      expect((await rig.server.call(`${RESULTS}/${call.resultId}`)).status).toBe(404);
      expect(await read()).toMatchObject({
        status: 'error',
        result: expect.stringMatching(/what was deleted is gone/),
      });
    });

    it('and goes with its message, and with its conversation', async () => {
      const before = await kept();
      const { talk, call } = await given(numberedLines(LONG), GIVE, 'Well');
      const { toolCalls, userMessage } = await must(withTools(talk, 'Again'));
      expect(await kept()).toBe(before + 2);
      expect((await remove(`${talk.path}/messages/${userMessage.id}`)).status).toBe(200);
      expect(await kept()).toBe(before + 1);
      expect((await rig.server.call(`${RESULTS}/${toolCalls[0].resultId}`)).status).toBe(404);
      expect(await whole(call.resultId)).toHaveLength(LONG);
      expect((await remove(talk.path)).status).toBe(200);
      expect(await kept()).toBe(before);
    });

    it('an export leaves its id out, and an import that names one refers to nothing', async () => {
      const { talk, call } = await given(numberedLines(LONG));
      const exported = await must(rig.server.call(`${talk.path}/export`));
      const { resultId, ...rest } = call;
      const [record] = exported.messages[1].toolCalls;
      expect(record).toEqual(rest);
      exported.messages[1].toolCalls = [{ ...record, resultId }];
      const { conversation } = await must(rig.server.call('/api/chat/conversations/import', exported));
      const [, made] = await toTalk(rig.server, conversation.id).messages();
      expect(made.toolCalls[0]).toEqual(rest);
    });
  });

  it('keeps its id where a compaction shortens it', async () => {
    const { call } = await given(numberedLines(LONG));
    expect(shortened(call.result, 8000, call.resultId)).toContain(`the whole result has the id ${call.resultId} …]`);
  });

  it('says of what is beyond its end that there is nothing', async () => {
    const text = numberedLines(LONG);
    texts.put('text', text);
    const replies: Reply[] = [
      GIVE,
      (call) => {
        const id = NOTE.exec(lastSent(call))![3];
        const calls = [LONG, LONG - 5].map((offset, index) => ({
          index,
          ...toolCall(`r${index}`, 'read_result', { id, offset }),
        }));
        call.answer({ content: '', tool_calls: calls });
      },
    ];
    const { talk } = await rig.talk(...replies, 'Well');
    const { toolCalls } = await must(withTools(talk, 'Go'));
    expect(toolCalls[1]).toMatchObject({ status: 'error', result: expect.stringMatching(/has 100000 characters, so/) });
    expect(toolCalls[2].result).toBe(`${text.slice(-5)}\n[characters 99995 to 100000 of 100000; its end]`);
  });
});
