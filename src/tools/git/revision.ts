import { z } from 'zod';

const DOTS = /\.{2,3}/;

/** One commit (`HEAD~3`), or two with `..` or `...` between them. */
export const RangeInput = z
  .string()
  .min(1)
  .max(500)
  .refine((range) => !range.startsWith('-'), 'A revision does not begin with -')
  // `HEAD:file` is a file, and is shown whatever its name.
  .refine((range) => /^[^\s:\0]+$/.test(range), 'A revision has neither spaces nor colons here')
  .refine((range) => range.split(DOTS).length <= 2, 'A range has two ends')
  .optional();

/** As arguments of git, after which only paths may follow; each end is a commit, and nothing else by that name. */
export function revisionArguments(range: string | undefined): string[] {
  if (range === undefined) return ['--end-of-options'];
  const dots = DOTS.exec(range)?.[0] ?? '';
  const ends = dots === '' ? [range] : range.split(dots);
  return ['--end-of-options', ends.map((end) => (end === '' ? '' : `${end}^{commit}`)).join(dots)];
}

/** After everything else. */
export function pathArguments(paths: readonly string[], excluded: readonly string[] = []): string[] {
  return [
    '--',
    ...paths.map((path) => `:(literal)${path}`),
    ...excluded.map((path) => `:(top,exclude,literal)${path}`),
  ];
}
