import type { Grant } from '../tool.ts';
import { isSecretPath } from '../workspace/secret-path.ts';
import type { Repository } from './repository.ts';
import { pathArguments } from './revision.ts';

const MAX_NAMED = 20;

/** May a file's content not be shown? @param path in the workspace. */
export function isKept(grant: Pick<Grant, 'opensSecret' | 'hidesPath'>, path: string): boolean {
  return grant.hidesPath(path) || (isSecretPath(path) && !grant.opensSecret(path));
}

/**
 * Runs a command of git's that shows what is in files, without those that may not be shown: they are in its objects
 * even if they are not in the workspace.
 * @param args with the command, without paths.
 */
export async function runWithoutSecrets(
  repository: Repository,
  grant: Pick<Grant, 'opensSecret' | 'hidesPath'>,
  args: { before: readonly string[]; naming: readonly string[]; showing: readonly string[]; after: readonly string[] },
  paths: readonly string[],
): Promise<string> {
  const { before, naming, showing, after } = args;
  const listed = await repository.run([...before, ...naming, '-z', ...after, ...pathArguments(paths)]);
  const names = new Set(listed.split(/[\0\n]/).filter((name) => name !== ''));
  const kept = [...names].filter((name) => isKept(grant, repository.inWorkspace(name)));
  const text = await repository.run([...before, ...showing, ...after, ...pathArguments(paths, kept)]);
  return kept.length === 0 ? text : `${text}${noteOn(kept)}`;
}

/** For a model to read. */
export function noteOn(kept: readonly string[]): string {
  const named = kept.slice(0, MAX_NAMED).join(', ');
  const more = kept.length > MAX_NAMED ? ` and ${kept.length - MAX_NAMED} more` : '';
  return `[not shown, since they may hold secrets or a rule denies them: ${named}${more}]\n`;
}
