// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what shells read
import type { Rows } from './row.ts';

const REFUSED = { ask: 'refuse', allowlist: 'refuse' } as const;

/** Lines with expansions that become more words than they look like. */
export const EXPANSION_LINES: readonly Rows[] = [
  {
    ...REFUSED,
    about: 'an expansion that stands for all arguments, also within quotes',
    lines: [
      'find ./"${X-$@}" -name a',
      'find . -name a"${X:-$@}"',
      'find . -name "${1+$@}"',
      'find ./"${X-${Y-$@}}"',
      'find . -exec ls a"${1+$@}" {} +',
      'git status ./"${X:+$@}"',
      'bash -c \'find ./"${X-$@}"\' _ victim -delete',
      "sh -c 'find ./\"${1+$@}\" -name a.txt' _ . -exec touch x ';'",
    ],
  },
];
