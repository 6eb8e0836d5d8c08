import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallStage, decide, type Limits, type Next, type PastCall, type TurnState } from './decide.ts';

const START: TurnState = {
  limits: { maxSteps: 3, closes: false },
  steps: 0,
  calls: [],
  past: [],
  isDone: false,
  hasMessages: false,
  usedTokens: 0,
  nextTokens: 0,
};

/** Names and whether they failed (`!`), step by step: `a b! a,c`. */
function past(text: string): PastCall[] {
  return text
    .split(' ')
    .flatMap((calls, index) =>
      calls.split(',').map((call) => ({ step: index + 1, call: call.replace('!', ''), isFailed: call.endsWith('!') })),
    );
}

const ASK: Next = { do: 'ask', withTools: true };
const CLOSE: Next = { do: 'ask', withTools: false };
const COMPLETED: Next = { do: 'finish', reason: 'completed' };
const MAX_STEPS: Next = { do: 'finish', reason: 'max_steps' };
const CLOSING = { maxSteps: 3, closes: true };

describe('what is next in a turn', () => {
  const budget = { limits: { maxSteps: 3, closes: false, maxBudget: 100 }, steps: 1, calls: ['over'] } as const;
  const stuck = { limits: { maxSteps: 9, closes: false }, steps: 3, calls: ['over'] } as const;
  const last = { steps: 3, calls: ['over'] } as const;

  it.each<[string, Partial<TurnState>, Next]>([
    ['it begins with the model', {}, ASK],
    ['also with a budget that is too small', { ...budget, steps: 0, calls: [], nextTokens: 1000 }, ASK],
    ['also when somebody has said something', { hasMessages: true }, ASK],
    ['a new call is carried out', { steps: 1, calls: ['new'] }, { do: 'call', position: 0 }],
    ['an allowed one', { steps: 1, calls: ['over', 'allowed'] }, { do: 'call', position: 1 }],
    ['a refused one gets its result', { steps: 1, calls: ['refused'] }, { do: 'call', position: 0 }],
    ['an interrupted one', { steps: 1, calls: ['interrupted'] }, { do: 'call', position: 0 }],
    [
      'the first that can be, past one that waits',
      { steps: 1, calls: ['asked', 'new', 'new'] },
      { do: 'call', position: 1 },
    ],
    ['calls go before the limits', { ...last, calls: ['new'] }, { do: 'call', position: 0 }],
    ['calls go before the end', { steps: 1, calls: ['over', 'new'], isDone: true }, { do: 'call', position: 1 }],
    ['people are waited for', { steps: 1, calls: ['over', 'asked'] }, { do: 'wait' }],
    [
      'also when the model has said that it is done',
      { steps: 1, calls: ['asked', 'over'], isDone: true },
      { do: 'wait' },
    ],
    ['also when somebody has said something', { steps: 1, calls: ['asked'], hasMessages: true }, { do: 'wait' }],
    ['results go back to the model', { steps: 1, calls: ['over'] }, ASK],
    ['an answer without calls is the end', { steps: 1 }, COMPLETED],
    ['also in the last step', { steps: 3 }, COMPLETED],
    ['not if somebody has said something', { steps: 1, hasMessages: true }, ASK],
    ['but in the last step', { steps: 3, hasMessages: true }, MAX_STEPS],
    ['which is not closed, since it has an answer', { limits: CLOSING, steps: 3, hasMessages: true }, MAX_STEPS],
    ['the model says that it is done', { steps: 1, calls: ['over'], isDone: true }, COMPLETED],
    ['also in the last step', { ...last, isDone: true }, COMPLETED],
    ['not if somebody has said something', { steps: 1, calls: ['over'], isDone: true, hasMessages: true }, ASK],
    ['the steps are used up', last, MAX_STEPS],
    ['one is left', { ...last, steps: 2 }, ASK],
    ['it is closed where there must be an answer', { ...last, limits: CLOSING }, CLOSE],
    ['only once', { ...last, limits: CLOSING, steps: 4 }, MAX_STEPS],
    ['the budget is used up', { ...budget, usedTokens: 100 }, { do: 'finish', reason: 'budget' }],
    [
      'what the next call reads would use it up',
      { ...budget, usedTokens: 60, nextTokens: 40 },
      { do: 'finish', reason: 'budget' },
    ],
    ['a token is left', { ...budget, usedTokens: 60, nextTokens: 39 }, ASK],
    ['steps are named before the budget', { ...budget, steps: 3, usedTokens: 100 }, MAX_STEPS],
    ['three equal calls', { ...stuck, past: past('b a a a') }, { do: 'finish', reason: 'no_progress' }],
    ['two equal calls', { ...stuck, past: past('b a a') }, ASK],
    ['three equal calls, but not the last ones', { ...stuck, past: past('a a a b') }, ASK],
    ['three failed ones', { ...stuck, past: past('a! b! c!') }, { do: 'finish', reason: 'no_progress' }],
    ['three failed ones, but not in a row', { ...stuck, past: past('a! b! c d!') }, ASK],
    ['three failed ones of one step, which the model has not seen', { ...stuck, past: past('a b!,c!,d!') }, ASK],
    ['three failed ones of two steps', { ...stuck, past: past('a!,b! c!') }, { do: 'finish', reason: 'no_progress' }],
    ['two failed ones', { ...stuck, past: past('a b! c!') }, ASK],
    ['it is closed there too', { ...stuck, limits: { maxSteps: 9, closes: true }, past: past('a a a') }, CLOSE],
  ])('%s', (_, state, next) => {
    expect(decide({ ...START, ...state })).toEqual(next);
  });
});

/** What a model and the people around it may do: chosen anew at every step. */
interface World {
  /** Of each step, and then of each again: its calls, as what becomes of them. */
  steps: { call: 'works' | 'fails' | 'completes'; name: string; way: CallStage[] }[][];
  tokens: number[];
  nextTokens: number[];
  /** Whether there is a message, at each look. */
  messages: boolean[];
}

const WAYS: CallStage[][] = [
  ['new'],
  ['new', 'asked', 'allowed'],
  ['new', 'asked', 'refused'],
  ['new', 'interrupted'],
  ['new', 'interrupted', 'asked', 'allowed'],
];

const anyCall = fc.record({
  call: fc.constantFrom('works', 'works', 'works', 'fails', 'completes'),
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  way: fc.constantFrom(...WAYS),
});

const anyWorld: fc.Arbitrary<World> = fc.record({
  steps: fc.array(fc.array(anyCall, { maxLength: 4 }), { minLength: 1, maxLength: 20 }),
  tokens: fc.array(fc.nat(500), { minLength: 1, maxLength: 20 }),
  nextTokens: fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
  messages: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
});

const anyLimits: fc.Arbitrary<Limits> = fc.record({
  maxSteps: fc.integer({ min: 1, max: 200 }),
  closes: fc.boolean(),
  maxBudget: fc.option(fc.integer({ min: 1000, max: 20_000 }), { nil: undefined }),
});

/** What was done in a turn, and where it stood then. */
type Course = { next: Next; state: TurnState }[];

/** Plays a turn as the loop does, to its end. */
function play(limits: Limits, world: World): Course {
  const course: Course = [];
  let state: TurnState = { ...START, limits };
  let ways: CallStage[][] = [];
  let open: World['steps'][number] = [];
  for (let look = 0; look < 20_000; look++) {
    const hasMessages = world.messages[look % world.messages.length] ?? false;
    state = { ...state, calls: ways.map(([stage = 'over']) => stage), hasMessages };
    const next = decide(state);
    course.push({ next, state });
    if (next.do === 'finish') return course;
    if (next.do === 'ask') {
      const { steps } = state;
      // A step without tools calls nothing, however much the model would like to.
      open = next.withTools ? (world.steps[steps % world.steps.length] ?? []) : [];
      ways = open.map(({ way }) => [...way]);
      const usedTokens = state.usedTokens + (world.tokens[steps % world.tokens.length] ?? 0);
      const nextTokens = world.nextTokens[steps % world.nextTokens.length] ?? 0;
      state = { ...state, steps: steps + 1, usedTokens, nextTokens, isDone: false };
    } else {
      const moved = next.do === 'wait' ? ways.filter(([stage]) => stage === 'asked') : [ways[next.position]!];
      for (const way of moved) way.shift();
      const over = next.do === 'call' && ways[next.position]?.length === 0 ? open[next.position] : undefined;
      if (over) {
        const past = [...state.past, { step: state.steps, call: over.name, isFailed: over.call === 'fails' }];
        state = { ...state, past, isDone: state.isDone || over.call === 'completes' };
      }
    }
  }
  throw new Error('it does not end');
}

function asks(course: Course): Course {
  return course.filter(({ next }) => next.do === 'ask');
}

describe('every turn, whatever its model and its people do', () => {
  it('ends, after no more steps with tools than it may have, and at most one more without', () => {
    fc.assert(
      fc.property(anyLimits, anyWorld, (limits, world) => {
        const asked = asks(play(limits, world));
        const withTools = asked.filter(({ next }) => next.do === 'ask' && next.withTools);
        expect(withTools.length).toBeLessThanOrEqual(limits.maxSteps);
        expect(asked.length).toBeLessThanOrEqual(limits.closes ? limits.maxSteps + 1 : withTools.length);
      }),
    );
  });

  it('goes on after a step without tools only if somebody has said something', () => {
    fc.assert(
      fc.property(anyLimits, anyWorld, (limits, world) => {
        const asked = asks(play(limits, world));
        for (const [index, { state }] of asked.entries()) {
          const before = asked[index - 1]?.next;
          if (before?.do === 'ask' && !before.withTools) expect(state.hasMessages).toBe(true);
        }
      }),
    );
  });

  it('asks the model only when every call is over, and waits only when there is nothing else to do', () => {
    fc.assert(
      fc.property(anyLimits, anyWorld, (limits, world) => {
        for (const { next, state } of play(limits, world)) {
          const stages = new Set(state.calls);
          stages.delete('over');
          if (next.do === 'ask' || next.do === 'finish') expect([...stages]).toEqual([]);
          if (next.do === 'wait') expect([...stages]).toEqual(['asked']);
          if (next.do === 'call') expect(['over', 'asked', undefined]).not.toContain(state.calls[next.position]);
        }
      }),
    );
  });

  it('asks for more than the first step only within its budget, unless it is closed', () => {
    fc.assert(
      fc.property(anyLimits, anyWorld, (limits, world) => {
        const budget = limits.maxBudget ?? Number.POSITIVE_INFINITY;
        for (const { next, state } of asks(play(limits, world)).slice(1)) {
          if (next.do === 'ask' && next.withTools) expect(state.usedTokens + state.nextTokens).toBeLessThan(budget);
        }
      }),
    );
  });

  it('leaves an answer where there must be one, and no message unseen while it has steps', () => {
    fc.assert(
      fc.property(anyLimits, anyWorld, (limits, world) => {
        const { next, state } = play(limits, world).at(-1)!;
        if (next.do !== 'finish') throw new Error('no end');
        if (limits.closes && next.reason !== 'completed') expect(state.calls).toEqual([]);
        if (next.reason === 'completed') expect(state.hasMessages).toBe(false);
      }),
    );
  });
});
