const VOID = new Set(
  'area base basefont bgsound br col embed frame hr img input link meta param source track wbr'.split(' '),
);

/** Elements that begin a new paragraph, and so end one. */
const BLOCKS =
  'address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section summary table ul'.split(
    ' ',
  );

/** What an element ends that is open at its place, without a tag of its own. */
const ENDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...BLOCKS.map((name) => [name, new Set(['p'])] as const),
  ['li', new Set(['p', 'li'])],
  ['dt', new Set(['p', 'dt', 'dd'])],
  ['dd', new Set(['p', 'dt', 'dd'])],
  ['option', new Set(['option'])],
  ['optgroup', new Set(['option', 'optgroup'])],
  ['td', new Set(['p', 'td', 'th'])],
  ['th', new Set(['p', 'td', 'th'])],
  ['tr', new Set(['p', 'td', 'th', 'tr'])],
  ['tbody', new Set(['p', 'td', 'th', 'tr', 'tbody', 'thead', 'tfoot'])],
  ['tfoot', new Set(['p', 'td', 'th', 'tr', 'tbody', 'thead'])],
  ['body', new Set(['head'])],
]);

/** The elements that are open at a place of a page, of which some are not to be seen. */
export class OpenElements {
  readonly #open: { name: string; isHidden: boolean }[] = [];
  readonly #counts = new Map<string, number>();
  #hidden = 0;

  /** Is anything around this place hidden? */
  get isHidden(): boolean {
    return this.#hidden > 0;
  }

  /** How many elements of a name are open. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Begins an element, which may end others. @returns those that ended and were to be seen, the innermost first. */
  open(name: string, isHidden: boolean): string[] {
    const ended: string[] = [];
    const ends = ENDS.get(name);
    for (let last = this.#open.at(-1); last && ends?.has(last.name); last = this.#open.at(-1)) {
      this.#pop(ended);
      if (last.name === name) break;
    }
    if (VOID.has(name)) return ended;
    this.#open.push({ name, isHidden });
    this.#counts.set(name, this.count(name) + 1);
    if (isHidden) this.#hidden++;
    return ended;
  }

  /** Ends an element and all within it; nothing, if it is not open. @returns as `open`. */
  close(name: string): string[] {
    const ended: string[] = [];
    const left = this.count(name) - 1;
    while (left >= 0 && this.count(name) > left) this.#pop(ended);
    return ended;
  }

  #pop(ended: string[]): void {
    const last = this.#open.pop();
    if (!last) return;
    if (!this.isHidden) ended.push(last.name);
    this.#counts.set(last.name, this.count(last.name) - 1);
    if (last.isHidden) this.#hidden--;
  }
}
