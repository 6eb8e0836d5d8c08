let account = '';

/** From now on things are kept for this account. @param whose of `use-me.ts` */
export function openStorage(whose: string): void {
  account = whose;
}

/** The name under which this browser keeps something for the account. */
export function storageName(name: string): string {
  return `${prefix()}${name}`;
}

/** What this browser keeps for the account; undefined if nothing. */
export function readKept(name: string): string | undefined {
  try {
    return localStorage.getItem(storageName(name)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps something for the account. @param text undefined: nothing any more */
export function keep(name: string, text: string | undefined): void {
  try {
    if (text === undefined) localStorage.removeItem(storageName(name));
    else localStorage.setItem(storageName(name), text);
  } catch {
    // Full, or switched off: it then lasts as long as the page.
  }
}

/** The names that begin so, of all that is kept for the account. */
export function keptNames(start: string): string[] {
  try {
    const whole = storageName(start);
    const names = Object.keys(localStorage).filter((name) => name.startsWith(whole));
    return names.map((name) => name.slice(prefix().length));
  } catch {
    return [];
  }
}

/** Leaves nothing of the account in this browser. */
export function clearStorage(): void {
  for (const name of keptNames('')) keep(name, undefined);
}

function prefix(): string {
  return `profclaw-of ${account} `;
}
