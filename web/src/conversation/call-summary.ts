/** Arguments that say what a call is about, the most telling first. */
const TELLING = ['command', 'path', 'url', 'query', 'pattern', 'glob', 'file', 'title', 'name', 'summary', 'id'];
const MOST_CHARS = 160;

/** One line that says what a call does: its command, path or address; '' if nothing of it says so. */
export function callSummary(given: Readonly<Record<string, unknown>>): string {
  const told = TELLING.filter((name) => isWord(given[name])).map((name) => given[name]);
  const first = told[0] ?? Object.values(given).find(isWord);
  if (first === undefined) return '';
  const second = given.pattern !== undefined && given.path !== undefined ? ` in ${given.path}` : '';
  const pattern = second === '' ? first : given.pattern;
  const line = `${pattern}${second}`.replaceAll(/\s+/g, ' ').trim();
  return line.length > MOST_CHARS ? `${line.slice(0, MOST_CHARS)}…` : line;
}

function isWord(value: unknown): value is string | number {
  return (typeof value === 'string' && value.trim() !== '') || typeof value === 'number';
}
