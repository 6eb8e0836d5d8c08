import { warningsHeader } from '../http/warnings-header.ts';
import type { ModelRef } from '../providers/registry.ts';

/**
 * What an answer says of itself beside its wire's own form: `x-profclaw-provider`, whose model it is from, and
 * `x-profclaw-warnings`.
 * @param own warnings of the wire itself.
 * @param names parameters as the wire calls them, by our names, where that is more than `likeThis` for `like_this`.
 */
export function answerHeaders(
  { ref, warnings }: { ref: Pick<ModelRef, 'provider'>; warnings: readonly string[] },
  own: readonly string[] = [],
  names: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const all = [...own, ...warnings.map((warning) => inTheirNames(warning, names))];
  return { 'x-profclaw-provider': ref.provider, ...warningsHeader(all) };
}

function inTheirNames(warning: string, names: Readonly<Record<string, string>>): string {
  return warning.replace(
    /^\w+(?=:)/,
    (name) => names[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
}
