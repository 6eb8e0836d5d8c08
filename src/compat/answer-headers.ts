import type { StartedCompletion } from '../chat/complete.ts';

/**
 * What an answer says of itself beside its wire's own form: `x-profclaw-provider`, whose model it is from, and
 * `x-profclaw-warnings`, what of the request was left out, as a JSON list in ASCII; of a stream, what is known when it starts.
 */
export function answerHeaders(
  { ref }: Pick<StartedCompletion, 'ref'>,
  warnings: readonly string[],
): Record<string, string> {
  const provider = { 'x-profclaw-provider': ref.provider };
  if (warnings.length === 0) return provider;
  // A header takes no other characters.
  const text = JSON.stringify(warnings).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { ...provider, 'x-profclaw-warnings': text };
}
