import { expect } from 'vitest';
import type { Json } from '../server.ts';
import type { Operation } from './points.ts';
import type { Rig } from './rig.ts';
import { ANSWER_TOKENS, answerTo, callFor, MODEL, TOOL, WRITE } from './upstream.ts';

let made = 0;

/** A text that no other message has, and that has the model call this tool. */
function newOrder(tool: string): string {
  made++;
  return `${tool} at order${made}x`;
}

const UNKNOWN = `There is no tool "${TOOL}".`;

/** A message with tools, keyed, whose model calls a tool that there is not and then answers. */
export function runWithTools(stream: boolean): Operation {
  let path: string | undefined;
  return {
    name: stream ? 'a streamed message with tools' : 'a message with tools',
    commits: 10,
    begin: async (rig) => {
      path ??= await rig.conversation();
      const conversation = path;
      const content = newOrder(TOOL);
      const send = () =>
        rig.ask(`${conversation}/messages/with-tools`, { content, stream }, { key: content.replaceAll(' ', '-') });
      return {
        act: send,
        check: async (told) => {
          const runs = async () => (await runsOf(rig, conversation)).filter((run) => run.content === content);
          const before = await runs();
          if (told.text !== '') expect(before).toHaveLength(1);
          // It has gone on by itself.
          for (const { run } of before) expect(run).toMatchObject({ status: 'completed', steps: 2 });
          const again = await send();
          expect(again).toMatchObject({ status: 200, isWhole: true });
          const after = await runs();
          expect(after).toHaveLength(1);
          if (before.length > 0) expect(after[0]?.run.id).toBe(before[0]?.run.id);
          const { messages } = await rig.get(conversation);
          const own = messages.slice(messages.findIndex((message: Json) => message.content === content));
          expect(own).toMatchObject([
            { role: 'user', content, status: 'complete' },
            { role: 'assistant', toolCalls: [{ ...callFor(content), status: 'error', result: UNKNOWN }] },
            { role: 'assistant', content: answerTo(UNKNOWN), toolCalls: [] },
          ]);
          expect(after[0]?.run.usage.totalTokens).toBe(2 * ANSWER_TOKENS);
        },
      };
    },
  };
}

/** A call is allowed; the run goes on by itself. */
export function approveCall(): Operation {
  return {
    name: 'an answer to an approval',
    commits: 8,
    begin: async (rig) => {
      const { conversation, runId, answer } = await waitingRun(rig);
      const approve = () => rig.ask('/tools/approve', answer);
      return {
        act: approve,
        check: async (told) => {
          const before = await runOf(rig, runId);
          const isDecided = before.status !== 'waiting_approval';
          if (told.text !== '') expect(isDecided).toBe(true);
          expect(await approve()).toMatchObject({ status: isDecided ? 409 : 200, isWhole: true });
          const run = await runOf(rig, runId);
          expect(run).toMatchObject({ status: 'completed', toolCalls: [{ status: 'success' }] });
          expect(run.approvals).toMatchObject([{ status: 'allowed', decidedBy: 'local' }]);
          const { messages } = await rig.get(conversation);
          expect(messages.map(({ role }: Json) => role)).toEqual(['user', 'assistant', 'assistant']);
          await rig.get(conversation, undefined, { method: 'DELETE' });
        },
      };
    },
  };
}

/** A run that waits is cancelled. */
export function cancelRun(): Operation {
  return {
    name: 'the end of a run by hand',
    // With its two lines in the audit log.
    commits: 2,
    begin: async (rig) => {
      const { conversation, runId } = await waitingRun(rig);
      const cancel = () => rig.ask(`/runs/${runId}/cancel`, {});
      return {
        act: cancel,
        check: async (told) => {
          const isCancelled = (await runOf(rig, runId)).status === 'cancelled';
          if (told.text !== '') expect(isCancelled).toBe(true);
          expect(await cancel()).toMatchObject({ status: isCancelled ? 409 : 200, isWhole: true });
          const run = await runOf(rig, runId);
          expect(run).toMatchObject({ status: 'cancelled', toolCalls: [{ status: 'cancelled' }] });
          expect(run.approvals).toMatchObject([{ status: 'cancelled' }]);
          // The conversation is free again.
          await rig.get(`${conversation}/messages`, { content: 'Go on' });
          await rig.get(conversation, undefined, { method: 'DELETE' });
        },
      };
    },
  };
}

/** A conversation goes with its runs, one of which waits. */
export function deleteWithRuns(): Operation {
  return {
    name: 'the deletion of a conversation with runs',
    commits: 8,
    begin: async (rig) => {
      const first = await waitingRun(rig);
      await rig.get('/tools/approve', { ...first.answer, decision: 'allow-always' });
      const { conversation, runId } = await waitingRun(rig, first.conversation);
      const remove = () => rig.ask(conversation, undefined, { method: 'DELETE' });
      return {
        act: remove,
        check: async (told) => {
          const { status } = await rig.ask(conversation);
          if (told.isWhole) expect(status).toBe(404);
          expect((await remove()).status).toBe(status);
          expect(await rig.ask(`/runs/${runId}`)).toMatchObject({ status: 404 });
          expect((await rig.get('/tools/rules')).rules).toEqual([]);
        },
      };
    },
  };
}

/** A run that asks whether it may write a file. */
async function waitingRun(
  rig: Rig,
  path?: string,
): Promise<{ conversation: string; runId: string; answer: Record<string, string> }> {
  const conversation = path ?? (await rig.conversation());
  const content = newOrder(WRITE);
  const asked = await rig.get(`${conversation}/messages/with-tools`, { content, model: MODEL });
  const [{ id: approvalId, conversationId }] = asked.pendingApprovals;
  return { conversation, runId: asked.runId, answer: { conversationId, approvalId, decision: 'allow-once' } };
}

async function runOf(rig: Rig, id: string): Promise<Json> {
  return (await rig.get(`/runs/${id}`)).run;
}

/** The runs of a conversation, with the message that each began with. */
async function runsOf(rig: Rig, conversation: string): Promise<{ run: Json; content: string }[]> {
  const { runs } = await rig.get(`/runs?limit=100&conversationId=${conversation.split('/').at(-1)}`);
  return await Promise.all(
    runs.map(async (run: Json) => {
      const { text } = await rig.ask(`/runs/${run.id}/events`);
      const [, first = ''] = /^data: (.*)$/m.exec(text) ?? [];
      return { run, content: JSON.parse(first).data.content };
    }),
  );
}
