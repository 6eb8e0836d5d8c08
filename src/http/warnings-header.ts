/**
 * `x-profclaw-warnings`: what of a request was left out, one sentence each, as a JSON list in ASCII; nothing if there are
 * no warnings. Of a stream it says what is known when that starts.
 */
export function warningsHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  // A header takes no other characters.
  const text = JSON.stringify(warnings).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { 'x-profclaw-warnings': text };
}
