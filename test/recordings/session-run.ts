import { expect } from 'vitest';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import type { Json, TestServer } from '../server.ts';
import { codeOf, wanted } from './recordings.ts';
import { ask, partsOf, readRequest, type Session, translate } from './session-client.ts';
import { changedIds, expectSame, lost, opaqueIn, withoutReasoning } from './session-compare.ts';
import type { Part } from './session-dialogue.ts';
import { sentTo } from './session-replay.ts';

interface Run {
  server: TestServer;
  session: Session;
  /** The replay's address. */
  upstream: string;
  type: VendorType;
  model: string;
}

/** What is right in some sessions only: `sessions.test.ts` knows in which. */
interface Outcome {
  /** The requests that have another assistant turn in place of our last answer. */
  replaced: number[];
  /** What the recorded client sent back for its provider and we did not. */
  missing: unknown[];
}

/** Takes a session through our endpoint, turn by turn, and compares every answer and every request upstream. */
export async function runSession({ server, session, upstream, type, model }: Run): Promise<Outcome> {
  const answers: [Part[], Json][] = [];
  const outcome: Outcome = { replaced: [], missing: [] };
  const givenIds: string[] = [];
  // Ids that an anonymised recording has, but the provider refuses, are replaced.
  const takenIds = PROFILES[type].quirks.toolCallIds?.pattern ?? /./;
  let lastMessage: Json;
  let lastOpaque: string[] = [];
  for (const [n, { recording, expected }] of session.turns.entries()) {
    const { kind, status, body } = recording.response;
    const recorded = readRequest(recording, recording.request.body);
    const { request, foreign } = translate(recorded, answers);
    const answer = await ask(server, { ...request, model: `${type}/${model}` }, kind !== 'json');
    if (expected) expect(answer.answer, `answer ${n}`).toEqual(wanted(expected, recording));
    else expect(answer.code, `answer ${n}`).toBe(codeOf(status, body));

    const [upstreamRequest, ...others] = await sentTo(upstream);
    expect([upstreamRequest?.file, others]).toEqual([recording.file, []]);
    const sentBody = upstreamRequest?.body ?? '';
    const sent = readRequest(recording, JSON.parse(sentBody));
    expectSame(sent, recorded, answer.warnings, `request ${n}`);
    const changed = changedIds(sent, recorded).filter((id) => givenIds.includes(id) && takenIds.test(id));
    expect(changed, `ids in request ${n}`).toEqual([]);
    outcome.missing.push(...lost(sent, withoutReasoning(recorded, foreign)));

    const goesOn = request.messages.includes(lastMessage);
    if (goesOn) expect(opaqueIn('json', sentBody), `request ${n}`).toEqual(expect.arrayContaining(lastOpaque));
    // A turn that is none of ours may stand beside our last answer, but not in place of it.
    else if (n > 0 && foreign.length > 0) outcome.replaced.push(n);

    givenIds.push(...(expected?.tools.flatMap(({ id }) => id ?? []) ?? []));
    lastMessage = answer.message;
    lastOpaque = opaqueIn(kind, body);
    if (answer.message) answers.push([partsOf(answer.message), answer.message]);
  }
  return outcome;
}
