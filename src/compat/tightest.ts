import type { Standing, Verdict } from '../limits/verdict.ts';

/** The limit that matters to a client that can be told of one only: which refused, or has the smallest share left. */
export function tightestOf({ standings, refused }: Verdict): Standing | undefined {
  if (refused) return refused;
  const [first, ...others] = standings;
  return others.reduce(
    (least, one) => (least && one.remaining / one.limit >= least.remaining / least.limit ? least : one),
    first,
  );
}
