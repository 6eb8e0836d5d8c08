/** What a pattern is made of, without flags; groups with what stands after their bracket. */
const TOKENS = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]+:))?|[*+?]\??|\{\d+(?:,\d*)?\}\??|./gs;

const MAX_CHARS = 200;
const MAX_COUNT = 500;
/**
 * In how many ways a pattern may be tried on a text: two of `*`, `+` and `{n,}` and few alternatives, or the like.
 * Where to begin counts as one of them, unless `^` says it. Measured: what stays within it takes some milliseconds on
 * 500 characters, which no name and no id exceeds.
 */
const MAX_WAYS = 250_000;
const UNBOUNDED_WAYS = 200;

/** The ways of a group that is still open. */
interface Group {
  /** Of its earlier alternatives. */
  others: number;
  /** Of the alternative that is being read, without its last part. */
  before: number;
  last: number;
}

const begin = (): Group => ({ others: 0, before: 1, last: 1 });
const waysOf = ({ others, before, last }: Group): number => others + before * last;

/**
 * Why a regular expression of somebody else's is not to be tried on a text, undefined if it may be: it would not
 * compile, or could take so long that nothing else is done meanwhile.
 */
export function patternProblem(text: string): string | undefined {
  if (text.length > MAX_CHARS) return `must be at most ${MAX_CHARS} characters`;
  try {
    new RegExp(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'must be a regular expression';
  }
  const outer: Group[] = [];
  let group = begin();
  let isAfterGroup = false;
  let isFirst = true;
  for (const [token] of text.matchAll(TOKENS)) {
    if (/^\\[1-9k]/.test(token)) return 'must not refer back to a group (\\1)';
    if (isFirst && token !== '^') group.before = UNBOUNDED_WAYS;
    if (/^([*+?]|\{\d)/.test(token)) {
      if (isAfterGroup && !token.startsWith('?')) return 'must not repeat a group: only ? may follow one';
      const ways = isAfterGroup ? group.last + 1 : repeats(token);
      if (ways === undefined) return `must not count beyond ${MAX_COUNT}`;
      group.last = ways;
    } else if (token.startsWith('(')) {
      outer.push(group);
      group = begin();
    } else if (token === '|') {
      group = { ...begin(), others: waysOf(group) };
    } else {
      const last = token === ')' ? waysOf(group) : 1;
      if (token === ')') group = outer.pop() ?? begin();
      group = { ...group, before: group.before * group.last, last };
    }
    isAfterGroup = token === ')';
    isFirst = token === '|' && outer.length === 0;
  }
  if (waysOf(group) <= MAX_WAYS) return undefined;
  return 'could match in too many ways: begin with ^, and use at most two of *, + and {n,} and few alternatives';
}

/** In how many ways a quantifier may repeat a single character; undefined if it counts too far. */
function repeats(quantifier: string): number | undefined {
  const [, least, comma, most] = /^\{(\d+)(,?)(\d*)/.exec(quantifier) ?? [];
  if (least === undefined) return quantifier.startsWith('?') ? 2 : UNBOUNDED_WAYS;
  if (Math.max(Number(least), Number(most)) > MAX_COUNT) return undefined;
  if (comma === '') return 1;
  return most === '' ? UNBOUNDED_WAYS : Number(most) - Number(least) + 1;
}
