import { describe, expect, it } from 'vitest';
import { begin, type Talk } from '../turns/rig.ts';
import { must, onBothDatabases, type RunRig, withTools } from './rig.ts';
import { expectSound } from './sound.ts';

// Many people who do everything that can be done to runs, all at once: what is left must fit together.

const PEOPLE = 8;
const DEEDS = 30;

/** Messages of which each makes another kind of run. */
const ORDERS = [
  '/say Hello',
  '/tool look {"what": "x"}\n/next\n/say Seen',
  '/say First\n/tool launch {"what": "x"}\n/next\n/tool launch {"what": "y"}\n/next\n/say Both',
  '/tool launch {"what": "a"}\n/tool look {"what": "b"}\n/tool launch {"what": "c"}\n/next\n/say All',
  '/stream 20 20\n/say A slow answer to something',
  '/tool fail {"what": "x"}\n/next\n/fail 401 Bad key',
  '/fail 400 No',
  '/reason Hm\n/tool complete_task {"summary": "Done", "artifacts": ["x"]}',
  '/tool lock {}\n/next\n/tool look {}\n/next\n/tool fail {"what": "x"}\n/next\n/say Never',
  '/say Half\n/stall',
];

/** Numbers that are the same in every run of the tests. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

describe('everything at once', () => {
  onBothDatabases((start) => {
    it('leaves nothing that does not fit together', { timeout: 120_000 }, async () => {
      const rig = await start({ PROFCLAW_TURN_WAIT: '0.5' });
      const talks = await Promise.all([1, 2, 3, 4].map(() => begin(rig.server, 'demo')));
      const odd: string[] = [];
      let done = 0;
      await Promise.all(
        Array.from({ length: PEOPLE }, async (_, person) => {
          const roll = dice(person + 1);
          for (let deed = 0; deed < DEEDS; deed++) {
            const { status, body } = await doSomething(rig, talks[roll(talks.length)]!, roll);
            if (status < 300) done++;
            // Refused, not there any more, failed as its model was told to: but never broken.
            if (![200, 201, 400, 404, 409, 502].includes(status) || body?.code === 'internal')
              odd.push(`${status} ${JSON.stringify(body)}`);
          }
        }),
      );
      expect(odd).toEqual([]);
      for (const status of ['queued', 'running', 'waiting_approval']) {
        const { runs } = await must(rig.server.call(`/api/chat/runs?status=${status}&limit=100`));
        for (const { id } of runs) await rig.cancel(id);
      }
      await expectSound(rig.db);
      // Every conversation still works.
      for (const talk of talks) {
        const answer = await must(withTools(talk, '/say Still here'));
        expect(answer.assistantMessage.content).toBe('Still here');
      }
      expect(done).toBeGreaterThan((PEOPLE * DEEDS) / 4);
    });
  });
});

type Answer = Awaited<ReturnType<RunRig['cancel']>>;

async function doSomething(rig: RunRig, talk: Talk, roll: (sides: number) => number): Promise<Answer> {
  const { server } = rig;
  const deed = roll(12);
  if (deed < 4) return await send(talk, roll);
  const { runs } = (await server.call(`/api/chat/runs?conversationId=${talk.id}&limit=5`)).body;
  const run = runs[roll(runs.length)]?.id ?? 'run_x';
  if (deed < 6) return await rig.steer(run, `By the way, ${roll(100)}`);
  if (deed < 7) return await rig.cancel(run);
  if (deed < 9) {
    const { approvals } = (await server.call(`/api/chat/approvals?status=pending&conversationId=${talk.id}`)).body;
    const decision = ['allow-once', 'deny', 'allow-always'][roll(3)]!;
    const asked = approvals[roll(approvals.length)] ?? { id: 'approval_x', conversationId: talk.id };
    return await rig.approve(asked, decision, { wait: roll(2) * 200 });
  }
  if (deed < 10) return await talk.retry();
  if (deed < 11) return await server.call(`/api/chat/runs/${run}`);
  const messages = await talk.messages();
  const path = `${talk.path}/messages/${messages[roll(messages.length)]?.id ?? 'msg_x'}`;
  return await server.call(path, undefined, { method: 'DELETE' });
}

/** Sends a message, and waits for its answer only sometimes. */
async function send(talk: Talk, roll: (sides: number) => number): Promise<Answer> {
  const content = ORDERS[roll(ORDERS.length)]!;
  if (roll(4) === 0) return await talk.send(content.includes('/stall') ? '/say Plainly' : content);
  const leaving = AbortSignal.timeout(100 + roll(500));
  return await withTools(talk, content, {}, { signal: leaving }).catch(() => ({
    ...{ status: 200, body: undefined, headers: new Headers() },
  }));
}
