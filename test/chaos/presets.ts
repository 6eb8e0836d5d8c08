import { USUAL, type Wishes } from './plan.ts';
import type { SuiteOptions } from './suite.ts';
import { USUAL_PACE } from './upstream.ts';

/** Where a suite runs: SQLite, or a PostgreSQL with an empty database. */
export interface Ground {
  databaseUrl: string | undefined;
  seed: number;
  runs: number;
  /** Of faults, at most. */
  faults: number;
  wishes?: Partial<Wishes>;
  /** Ends all connections to PostgreSQL. */
  cut?: (() => Promise<void>) | undefined;
}

/** No node is frozen. */
const NEVER = { least: 0, most: 0 };

/** Calls of the model that a run makes by itself, more or less. */
const ASKED = 3;

/** The usual suite: one node on SQLite, three on PostgreSQL. */
export function usualSuite({ databaseUrl, seed, runs, faults: most, wishes, cut }: Ground): SuiteOptions {
  const common = { seed, runs, wishes: { ...USUAL, ...wishes }, pace: USUAL_PACE, databaseUrl };
  const patienceMs = 60_000 + most * 8000;
  const asked = spread(runs, most);
  if (databaseUrl === undefined) {
    const kinds = ['commit', 'note', 'kill', 'tool', 'end', 'commit'] as const;
    const faults = [{ kinds, most, asked, freezeMs: NEVER }];
    return { ...common, nodes: 1, atOnce: 6, faults, patienceMs };
  }
  const kinds = ['commit', 'lost', 'note', 'kill', 'cut', 'commit', 'end'] as const;
  const deaths = { kinds, most, asked, freezeMs: NEVER, cut };
  const freezes = Math.ceil(most / 3);
  const freezing = { kinds: ['freeze'] as const, most: freezes, asked: spread(runs, freezes) };
  const faults = [deaths, { ...freezing, freezeMs: { least: 4500, most: 7000 } }];
  return { ...common, nodes: 3, atOnce: 8, faults, patienceMs };
}

/** So that all faults find something to do. */
function spread(runs: number, faults: number): { least: number; most: number } {
  const each = (runs * ASKED) / (faults + 1);
  return { least: Math.floor(each / 2), most: Math.ceil(each) };
}

/** Runs of long answers on nodes that are frozen for longer than their leases, and then go on: on PostgreSQL. */
export function zombieSuite(ground: Omit<Ground, 'wishes'>): SuiteOptions {
  const long = { words: { least: 150, most: 250 }, steps: { least: 3, most: 4 } };
  const usual = usualSuite({ ...ground, wishes: { ...long, cancelled: 0, steered: 0, asking: 0 } });
  // The next node has just taken over when this one comes back.
  const freezeMs = { least: 4600, most: 5400 };
  const asked = { least: 12, most: 14 };
  return { ...usual, atOnce: 12, faults: [{ kinds: ['freeze'], most: ground.faults, asked, freezeMs }] };
}

/** Runs whose nodes die in the middle of their calls, and nowhere else: on SQLite. */
export function callSuite(ground: Omit<Ground, 'wishes' | 'databaseUrl'>): SuiteOptions {
  const usual = usualSuite({ ...ground, databaseUrl: undefined, wishes: { cancelled: 0, asking: 0 } });
  return { ...usual, faults: usual.faults.map((plan) => ({ ...plan, kinds: ['note'] })) };
}

/** Runs whose nodes never hear of some of their commits, and nothing else: on PostgreSQL. */
export function lostSuite(ground: Omit<Ground, 'wishes'>): SuiteOptions {
  const usual = usualSuite({ ...ground, wishes: { cancelled: 0, steered: 0, asking: 0 } });
  const asked = { least: 2, most: 4 };
  return { ...usual, faults: [{ kinds: ['lost'], most: ground.faults, asked, freezeMs: NEVER }] };
}

/** Runs whose calls all need an answer, of which many are given twice at the same instant, and no faults. */
export function questionSuite(ground: Omit<Ground, 'wishes' | 'faults'>): SuiteOptions {
  const wishes = { words: { least: 4, most: 10 }, asking: 1 };
  return usualSuite({ ...ground, faults: 0, wishes });
}
