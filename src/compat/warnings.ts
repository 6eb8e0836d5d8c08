/** The header that names, as a JSON list in ASCII, what of a request its model does not take. */
const WARNINGS_HEADER = 'x-profclaw-warnings';

/** The header for some warnings; none if there are none. */
export function warningHeaders(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  // A header takes no other characters.
  const text = JSON.stringify(warnings).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { [WARNINGS_HEADER]: text };
}
