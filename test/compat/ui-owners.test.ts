import { describe, expect, it } from 'vitest';
import { idsOfMessage } from '../../src/compat/ui-stream-chat.ts';
import { Rig } from '../access/rig.ts';

const WRITE = '/tool write_file {"path": "a.txt", "content": "A"}\n/next\n/say Written';

describe('the UI message stream and its owners', () => {
  it('keeps the chats of two owners apart, and replaces nothing for a key that may not', async () => {
    const rig = await Rig.start(undefined);
    try {
      const owner = (await rig.owner()).browser;
      const { browser } = await rig.join(owner, 'mia');
      const [hers, his] = await Promise.all([
        rig.withKey(owner, { scopes: ['tools'] }),
        rig.withKey(browser, { scopes: ['chat', 'tools', 'conversations:read'] }),
      ]);
      const send = (secret: string, body: object) =>
        fetch(`${rig.server.url}/api/chat/ui`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
          body: JSON.stringify({ id: 'same', model: 'demo', messages: [user(WRITE)], ...body }),
        });
      const first = await (await send(hers.secret, {})).text();
      const second = await (await send(his.secret, { messages: [user('/say His')] })).text();
      expect(second).toContain('"delta":"His"');
      const [, chatId = ''] = /"conversationId":"(.*?)"/.exec(first) ?? [];
      expect(second).not.toContain(chatId);
      expect((await send(his.secret, { id: chatId })).status).toBe(404);
      const [, approvalId = ''] = /"approvalId":"(.*?)"/.exec(first) ?? [];
      expect(approvalId).toMatch(/^approval_/);
      const answered = { state: 'approval-responded', approval: { id: approvalId, approved: true } };
      const part = { type: 'dynamic-tool', toolName: 'write_file', toolCallId: 'c', input: {}, ...answered };
      const messages = [user(WRITE), { id: 'a', role: 'assistant', parts: [part] }];
      expect((await send(his.secret, { messages })).status).toBe(404);
      expect((await send(hers.secret, { trigger: 'regenerate-message' })).status).toBe(403);
      expect((await send(hers.secret, { messages: [user('/say Other')], messageId: 'm' })).status).toBe(403);
      expect(await (await send(hers.secret, { messages })).text()).toContain('Written');
      const ids = (content: string) =>
        idsOfMessage({ db: rig.db, owner: 'o' }, { conversationId: 'c', messageId: 'm', content });
      const made = (await Promise.all(['x', 'x', 'y'].map(ids))).map((newId) => [newId('run'), newId('msg')]);
      expect(made[1]).toEqual(made[0]);
      expect(made[2]?.[0]).not.toBe(made[0]?.[0]);
      expect(made[2]?.[1]).toBe(made[0]?.[1]);
      const again = await send(his.secret, { trigger: 'regenerate-message', messages: [user('/say His')] });
      expect(await again.text()).toContain('"delta":"His"');
      const deeds = await rig.db
        .selectFrom('audit_log')
        .select('action')
        .where('action', '=', 'message.delete')
        .execute();
      expect(deeds).toHaveLength(1);
    } finally {
      await rig.stop();
    }
  });
});

function user(text: string) {
  return { id: 'm', role: 'user' as const, parts: [{ type: 'text' as const, text }] };
}
