import { expect, it } from 'vitest';
import { Rig } from '../access/rig.ts';
import type { Json } from '../server.ts';

it('nothing of another owner’s responses can be gone on from, named or referred to', async () => {
  const rig = await Rig.start(undefined);
  try {
    const owner = (await rig.owner()).browser;
    const { browser } = await rig.join(owner, 'mia');
    const scopes = { scopes: ['chat', 'conversations:read'] };
    const [hers, his] = await Promise.all([rig.withKey(owner, scopes), rig.withKey(browser, scopes)]);
    const send = async (secret: string, body: object): Promise<{ status: number; body: Json }> => {
      const response = await fetch(`${rig.server.url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
        body: JSON.stringify({ model: 'demo', input: '/say again', ...body }),
      });
      return { status: response.status, body: await response.json() };
    };
    const look = '/say Secret\n/tool weather {"city":"Rome"}';
    const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }];
    const first = (await send(hers.secret, { input: look, tools })).body;
    const [said, call] = first.output;
    const output = { type: 'function_call_output', call_id: call.call_id, output: 'sun' };
    const conversation = first.conversation.id as string;
    const none = { id: 'resp_none', conversation: 'conv_none', item: 'msg_none' };
    const same = async (fields: (names: typeof none) => object, status: number): Promise<void> => {
      const names = { id: first.id as string, conversation, item: said.id as string };
      const [theirs, nobodys] = [await send(his.secret, fields(names)), await send(his.secret, fields(none))];
      expect([theirs.status, nobodys.status]).toEqual([status, status]);
      const faceless = Object.values(names).reduce((text, id) => text.replaceAll(id, ''), JSON.stringify(theirs.body));
      expect(faceless).toBe(
        Object.values(none).reduce((text, id) => text.replaceAll(id, ''), JSON.stringify(nobodys.body)),
      );
    };
    await same(({ id }) => ({ previous_response_id: id }), 400);
    await same(({ id }) => ({ previous_response_id: id, store: false }), 400);
    await same((names) => ({ conversation: names.conversation }), 404);
    await same(({ item }) => ({ input: [{ type: 'item_reference', id: item }] }), 400);
    // With the same words, and the same call, it is a conversation of his own.
    const copy = [{ role: 'user', content: look }, ...first.output, output];
    const copied = (await send(his.secret, { input: copy, tools })).body;
    expect(copied.conversation.id).not.toBe(conversation);
    const repeated = (await send(hers.secret, { input: copy, tools })).body;
    expect(repeated.conversation.id).toBe(conversation);
  } finally {
    await rig.stop();
  }
});
