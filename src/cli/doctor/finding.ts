/** How something stands. `none`: it is not there, and need not be. */
export type Standing = 'ok' | 'none' | 'warning' | 'failed';

/** What was found out about one thing. */
export interface Finding {
  name: string;
  standing: Standing;
  /** For a person, on one line. */
  says: string;
  /** What to do about it. */
  fix?: string;
}

/** Makes findings of one standing. */
export const ok = (name: string, says: string): Finding => ({ name, standing: 'ok', says });
/** Of what is not there, and need not be. */
export const none = (name: string, says: string, fix?: string): Finding => made('none', name, says, fix);
/** Of what keeps nothing from working. */
export const warning = (name: string, says: string, fix?: string): Finding => made('warning', name, says, fix);
/** Of what is broken. */
export const failed = (name: string, says: string, fix?: string): Finding => made('failed', name, says, fix);

function made(standing: Standing, name: string, says: string, fix: string | undefined): Finding {
  return { name, standing, says, ...(fix === undefined ? {} : { fix }) };
}

/** What went wrong, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message === '' ? code : error.message;
}
