// Markdown can be written so that reading it takes forever. What these bounds let through takes well under a second.

/** Characters of one block. */
const LONGEST = 30_000;
/** Quotes and lists within each other, on one line. */
const DEEPEST = 40;
/** Brackets within each other, and altogether. */
const MOST_OPEN = 40;
const MOST_BRACKETS = 1000;
/** Marks of emphasis that are open at the same time. */
const MOST_EMPHASES = 100;
/** The same mark of emphasis in a row. */
const LONGEST_RUN = 100;

const RUN = new RegExp(`\\*{${LONGEST_RUN},}|_{${LONGEST_RUN},}|~{${LONGEST_RUN},}`);
const CONTAINERS = new RegExp(`^(?:[ \\t]*(?:>|[-*+](?=[ \\t])|\\d{1,9}[.)](?=[ \\t]))){${DEEPEST},}`, 'm');

/** Is a block better shown as it is than read as Markdown? */
export function isBeyondBounds(text: string): boolean {
  return (
    text.length > LONGEST ||
    CONTAINERS.test(text) ||
    (RUN.test(text) && !isRule(text)) ||
    hasManyBrackets(text) ||
    hasOpenMarks(text)
  );
}

/** A long line is a rule or underlines a heading. */
function isRule(text: string): boolean {
  return !RUN.test(text.replace(/^[ \t]*(?:\*+|_+)[ \t]*$/gm, ''));
}

function hasManyBrackets(text: string): boolean {
  let open = 0;
  let count = 0;
  for (const [character] of text.matchAll(/[[\]]/g)) {
    count += 1;
    open = character === '[' ? open + 1 : Math.max(0, open - 1);
    if (open > MOST_OPEN || count > MOST_BRACKETS) return true;
  }
  return false;
}

function hasOpenMarks(text: string): boolean {
  let open = 0;
  for (const [, before = '', after = ''] of text.matchAll(/(?<=(^|[^*_]))[*_]+(?=([^*_]|$))/g)) {
    const mayOpen = /\S/.test(after);
    const mayClose = /\S/.test(before);
    if (mayOpen && !mayClose) open += 1;
    else if (mayClose && !mayOpen) open = Math.max(0, open - 1);
    if (open > MOST_EMPHASES) return true;
  }
  return false;
}
