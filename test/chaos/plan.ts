import { between, pick, type Random, seededFor } from './random.ts';

/** A call that the model makes. */
export interface PlannedCall {
  name: 'note' | 'mark' | 'look' | 'nothing' | 'complete_task';
  text: string;
}

/** What the model does in a step. */
export interface PlannedStep {
  words: number;
  thoughts: number;
  calls: PlannedCall[];
}

/** What becomes of one try of a step. */
export type Fate = 'whole' | 'broken off' | 'unavailable' | 'refused';

/** A run as it is to go; all of it follows from the seed and the run's number. */
export interface Plan {
  seed: number;
  run: number;
  kind: 'tools' | 'agent';
  /** How the answer of `with-tools` is asked for. */
  stream: boolean;
  mode: 'ask' | 'full';
  onCrash: 'resume' | 'ask' | 'fail';
  steps: PlannedStep[];
  /** The step that the model refuses. */
  refusedAt: number | undefined;
  /** Calls tools also where it may not. */
  disobeys: boolean;
  /** It is cancelled once so many events have been seen; by two at once or by one. */
  cancel: { after: number; twice: boolean } | undefined;
  /** Something is said to it once so many events have been seen, or while the last step goes on. */
  steers: (number | 'last step')[];
  /** It is in the conversation of the run before. */
  shares: boolean;
  /** The model never fails. */
  isSteady: boolean;
}

/** How a suite wants its runs. */
export interface Wishes {
  /** Words of a step. */
  words: { least: number; most: number };
  /** Steps with calls. */
  steps: { least: number; most: number };
  /** Shares of runs, 0 to 1. */
  cancelled: number;
  steered: number;
  asking: number;
}

export const USUAL: Wishes = {
  words: { least: 10, most: 120 },
  steps: { least: 1, most: 4 },
  cancelled: 0.2,
  steered: 0.3,
  asking: 0.5,
};

/** Plans a run. */
export function planRun(seed: number, run: number, wishes: Wishes): Plan {
  const random = seededFor(seed, run);
  const kind = pick(random, ['tools', 'agent', 'agent'] as const);
  const count = between(random, wishes.steps.least, wishes.steps.most);
  const steps = Array.from({ length: count }, (_, index) => planStep(random, run, index + 1, wishes));
  steps.push(lastStep(random, run, count + 1, wishes));
  const isCancelled = random() < wishes.cancelled;
  return {
    seed,
    run,
    kind,
    stream: random() < 0.5,
    mode: random() < wishes.asking ? 'ask' : 'full',
    onCrash: kind === 'tools' ? 'resume' : pick(random, ['resume', 'resume', 'ask', 'fail'] as const),
    steps,
    refusedAt: random() < 0.08 ? between(random, 1, steps.length) : undefined,
    disobeys: random() < 0.3,
    cancel: isCancelled ? { after: between(random, 2, 40), twice: random() < 0.6 } : undefined,
    steers: random() < wishes.steered ? [between(random, 2, 30), 'last step'] : [],
    shares: run > 0 && random() < 0.15,
    isSteady: false,
  };
}

function planStep(random: Random, run: number, step: number, wishes: Wishes): PlannedStep {
  const { least, most } = wishes.words;
  const calls = Array.from({ length: pick(random, [1, 1, 1, 2, 2, 3]) }, (_, index): PlannedCall => {
    const name = pick(random, ['note', 'note', 'note', 'mark', 'mark', 'look', 'look', 'nothing'] as const);
    return { name, text: `r${run}s${step}c${index}` };
  });
  // A step may have no words: nothing but calls.
  const words = random() < 0.15 ? 0 : between(random, least, most);
  return { words, thoughts: random() < 0.4 ? between(random, 1, 8) : 0, calls };
}

function lastStep(random: Random, run: number, step: number, wishes: Wishes): PlannedStep {
  const { least, most } = wishes.words;
  if (random() < 0.7) return { words: between(random, least, most), thoughts: random() < 0.3 ? 4 : 0, calls: [] };
  const calls: PlannedCall[] = [{ name: 'complete_task', text: `r${run}s${step} is done` }];
  return { words: random() < 0.5 ? 0 : between(random, least, most), thoughts: 0, calls };
}

/** A run of one answer of so many words. */
export function planAnswer(words: number): Plan {
  return {
    ...{ seed: 0, run: 0, kind: 'agent', stream: true, mode: 'full', onCrash: 'resume', refusedAt: undefined },
    ...{ disobeys: false, cancel: undefined, steers: [], shares: false, isSteady: true },
    steps: [{ words, thoughts: 0, calls: [] }],
  };
}

/** What is planned for a step; what goes beyond the plan, because somebody has said something, is short. */
export function stepOf(plan: Plan, step: number): PlannedStep {
  return plan.steps[step - 1] ?? { words: 6, thoughts: 0, calls: [] };
}

/** What becomes of a try of a step, from 1 on. After two that went wrong one goes well. */
export function fateOf({ seed, run, refusedAt, isSteady }: Plan, step: number, attempt: number): Fate {
  if (step === refusedAt) return 'refused';
  if (isSteady || attempt > 2) return 'whole';
  const chance = seededFor(seed, run, step, attempt)();
  if (chance < 0.07) return 'broken off';
  return chance < 0.1 ? 'unavailable' : 'whole';
}

/** A word of an answer: it says where it belongs, so that each mix-up is seen. */
export function wordOf(run: number, step: number, attempt: number, index: number): string {
  return `r${run}s${step}a${attempt}w${index} `;
}

/** The message that a run begins with. */
export function messageOf(run: number): string {
  return `run ${run}: please do what you do`;
}
