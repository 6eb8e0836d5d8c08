import type { StartedCompletion } from '../chat/complete.ts';

/**
 * What an answer says of itself beside its wire's own form: `x-profclaw-provider`, whose model it is from, and
 * `x-profclaw-warnings`, what of the request was left out, as a JSON list in ASCII; of a stream, what is known when it starts.
 * @param own warnings of the wire itself.
 * @param names parameters as the wire calls them, by our names, where that is more than `likeThis` for `like_this`.
 */
export function answerHeaders(
  { ref, warnings }: Pick<StartedCompletion, 'ref' | 'warnings'>,
  own: readonly string[] = [],
  names: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const provider = { 'x-profclaw-provider': ref.provider };
  const all = [...own, ...warnings.map((warning) => inTheirNames(warning, names))];
  if (all.length === 0) return provider;
  // A header takes no other characters.
  const text = JSON.stringify(all).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { ...provider, 'x-profclaw-warnings': text };
}

function inTheirNames(warning: string, names: Readonly<Record<string, string>>): string {
  return warning.replace(
    /^\w+(?=:)/,
    (name) => names[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
}
