/** Lines that are all decided on alike. */
export interface Rows {
  about: string;
  /** In the mode ask. */
  ask: 'allow' | 'ask' | 'refuse';
  /** In the mode allowlist. */
  allowlist: 'allow' | 'refuse';
  lines: readonly string[];
}
