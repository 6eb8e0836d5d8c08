/** A piece of a glob, in the order of the path. */
export type Step =
  /** One character. */
  | { kind: 'one'; test: (character: string) => boolean }
  /** Any characters of a name, also none. */
  | { kind: 'name' }
  /** Any folders, each with its slash, also none. */
  | { kind: 'folders' }
  /** Nothing, or a slash and anything. */
  | { kind: 'below' }
  /** Anything. */
  | { kind: 'all' };

/** What a character leads to from a place in the pattern, and where one is at the same time without any. */
interface Place {
  free: number | undefined;
  next(character: string): number | undefined;
}

/** All places at once that a path may have led to. */
interface State {
  places: readonly number[];
  isEnd: boolean;
  next: Map<string, State>;
}

/** More states than a glob of any sense has; then they are forgotten. */
const MAX_STATES = 500;

/**
 * Does a text match one of the sequences as a whole? All ways are followed at once, and what was found out is kept, so
 * that no sequence can make it slow.
 */
export function compileAutomaton(sequences: readonly (readonly Step[])[]): (text: string) => boolean {
  const places: Place[] = [];
  const starts: number[] = [];
  const ends = new Set<number>();
  for (const steps of sequences) {
    starts.push(places.length);
    for (const step of steps) places.push(...placesOf(step, places.length));
    ends.add(places.length);
    places.push({ free: undefined, next: () => undefined });
  }
  let known = new Map<string, State>();
  const stateOf = (from: Iterable<number>): State => {
    const closed = new Set<number>();
    for (const place of from)
      for (let at: number | undefined = place; at !== undefined; at = places[at]?.free) closed.add(at);
    const list = [...closed].sort((a, b) => a - b);
    const key = list.join();
    const found = known.get(key);
    if (found) return found;
    const state = { places: list, isEnd: list.some((place) => ends.has(place)), next: new Map<string, State>() };
    if (known.size >= MAX_STATES) known = new Map();
    known.set(key, state);
    return state;
  };
  const follow = (state: State, character: string): State => {
    const reached = state.places.flatMap((place) => places[place]?.next(character) ?? []);
    const next = stateOf(reached);
    // As many as there are ASCII characters: the others are worked out again.
    if (state.next.size < 128) state.next.set(character, next);
    return next;
  };
  return (text) => {
    let state = stateOf(starts);
    for (const character of text) {
      state = state.next.get(character) ?? follow(state, character);
      if (state.places.length === 0) return false;
    }
    return state.isEnd;
  };
}

/** @param at the number of its first place. */
function placesOf(step: Step, at: number): Place[] {
  const isSlash = (character: string): boolean => character === '/';
  switch (step.kind) {
    case 'one':
      return [{ free: undefined, next: (character) => (step.test(character) ? at + 1 : undefined) }];
    case 'name':
      return [{ free: at + 1, next: (character) => (isSlash(character) ? undefined : at) }];
    case 'folders':
      return [
        { free: at + 2, next: (character) => (isSlash(character) ? undefined : at + 1) },
        { free: undefined, next: (character) => (isSlash(character) ? at : at + 1) },
      ];
    case 'below':
      return [
        { free: at + 2, next: (character) => (isSlash(character) ? at + 1 : undefined) },
        { free: at + 2, next: () => at + 1 },
      ];
    case 'all':
      return [{ free: at + 1, next: () => at }];
  }
}
