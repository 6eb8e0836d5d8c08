import { callFaults } from './check-calls.ts';
import { conversationFaults, messageFaults } from './check-conversations.ts';
import { logFaults } from './check-log.ts';
import { peopleFaults, startFaults } from './check-people.ts';
import { textFaults } from './check-text.ts';
import type { Evidence } from './evidence.ts';
import { runCases } from './run-case.ts';

/** Everything that must not be when all runs have ended. */
export function findViolations(evidence: Evidence): string[] {
  const { crashes, failures } = evidence;
  const cases = runCases(evidence);
  const each = cases.flatMap((given) =>
    [logFaults, textFaults, callFaults, messageFaults, peopleFaults]
      .flatMap((faultsOf) => [...faultsOf(given)])
      .map((fault) => `run ${given.track?.plan.run ?? '?'} (${given.run.id}, ${given.run.status}): ${fault}`),
  );
  const owned = new Set(cases.flatMap(({ calls }) => calls.map(({ idempotencyKey }) => idempotencyKey)));
  const strange = [...evidence.effects.note, ...evidence.effects.mark]
    .filter(({ idempotencyKey }) => !owned.has(idempotencyKey))
    .map(({ idempotencyKey }) => `an effect is of no call: ${idempotencyKey}`);
  return [...crashes, ...failures, ...startFaults(evidence), ...conversationFaults(evidence), ...strange, ...each];
}
