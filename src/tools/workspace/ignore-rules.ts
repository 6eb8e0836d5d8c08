import { compileGlob } from '../../core/glob.ts';

/** More rules than a file of any sense has; the others do not count. */
const MAX_RULES = 500;

/** What a `.gitignore` says. */
export interface IgnoreRules {
  /**
   * Is it to be left out; undefined: nothing is said of it.
   * @param path relative to the folder of the file.
   */
  ignores(path: string, isFolder: boolean): boolean | undefined;
}

interface Rule {
  isMatch: (path: string) => boolean;
  isForFolders: boolean;
  isNegative: boolean;
}

/**
 * Reads a `.gitignore` (gitignore(5)). The file may be anybody's: of the libraries for it, those that make regular
 * expressions of its lines can be held up by them for hours.
 */
export function parseIgnoreRules(text: string): IgnoreRules {
  const rules = text
    .split('\n', 20 * MAX_RULES)
    .flatMap((line) => ruleOf(line) ?? [])
    .slice(0, MAX_RULES)
    // The last that fits decides.
    .reverse();
  return {
    ignores: (path, isFolder) => {
      const rule = rules.find(({ isMatch, isForFolders }) => (isFolder || !isForFolders) && isMatch(path));
      return rule && !rule.isNegative;
    },
  };
}

function ruleOf(line: string): Rule | undefined {
  const trimmed = line.replace(/\r$/, '').replace(/(?<!\\) +$/, '');
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  const isNegative = trimmed.startsWith('!');
  const body = isNegative ? trimmed.slice(1) : trimmed;
  const isForFolders = body.endsWith('/');
  const pattern = isForFolders ? body.slice(0, -1) : body;
  try {
    return { isMatch: compileGlob(globOf(pattern)), isForFolders, isNegative };
  } catch {
    // As git does with what it cannot make sense of.
    return undefined;
  }
}

/** The same in our globs. */
function globOf(pattern: string): string {
  const isAnchored = pattern.includes('/');
  const parts = pattern
    .replace(/^\//, '')
    .split('/')
    // Only alone are two stars more than one; and there are no braces.
    .map((part) => (part === '**' ? part : part.replace(/\*{2,}/g, '*').replace(/(?<!\\)[{}]/g, '\\$&')));
  // What is in a folder, and not itself.
  if (parts.at(-1) === '**' && parts.length > 1) parts.push('*');
  return (isAnchored ? parts : ['**', ...parts]).join('/');
}
