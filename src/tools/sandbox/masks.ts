import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { AppError } from '../../errors.ts';
import type { Grant } from '../tool.ts';
import { isSecretPath } from '../workspace/secret-path.ts';
import { isGitConfig, withoutCredentials } from './git-config.ts';
import { type Entry, walk } from './walk.ts';

/**
 * What is put over a part of the workspace, whose path is relative to it: an empty file or folder, a copy in which
 * nothing secret is left, or itself: `pinned` where it is, or `fixed`, so that it cannot be changed either.
 */
export type Mask = { path: string } & (
  | { kind: 'file' | 'folder' | 'pinned' | 'fixed' }
  | { kind: 'copy'; text: string }
);

/** What git carries out, also for people who use it outside of the sandbox: it stays as it is. */
const GIT_RUNS = /(?:^|\/)\.git\/(?:config|hooks)$/;

/** Each makes the start of a sandbox slower. */
const MAX_MASKS = 500;

/**
 * What a command may not see of a workspace: the server's own folders; what rules keep from it; secrets that it was not
 * granted, under all of their names; and sockets and pipes, through which it could reach other processes.
 * @param workspace absolute and without links.
 * @param hidden absolute and without links.
 * @throws AppError `invalid_request` if that is too much.
 */
export async function findMasks(
  workspace: string,
  hidden: readonly string[],
  grant: Pick<Grant, 'opensSecret' | 'hidesPath'> | undefined,
): Promise<Mask[]> {
  const own = new Set(
    hidden.filter((path) => path.startsWith(`${workspace}/`)).map((path) => relative(workspace, path)),
  );
  const masks: Mask[] = [...own].map((path) => ({ path, kind: 'folder' }));
  if (grant === undefined) return [...pins(masks), ...masks];
  if (grant.hidesPath('.')) return [{ path: '.', kind: 'folder' }];
  const isSecret = (path: string): boolean => isSecretPath(path) && !grant.opensSecret(path);
  const found: Entry[] = [];
  const all = await walk(workspace, (entry) => {
    if (own.has(entry.path)) return 'skip';
    if (GIT_RUNS.test(entry.path) && entry.kind !== 'link') masks.push({ path: entry.path, kind: 'fixed' });
    if (entry.kind === 'pipe' || grant.hidesPath(entry.path) || (entry.kind !== 'folder' && isSecret(entry.path))) {
      found.push(entry);
      return 'skip';
    }
    return 'enter';
  });
  for (const entry of found) masks.push(...(await maskOf(workspace, entry, grant)));
  masks.push(...(await otherNames(workspace, masks, all)));
  const different = [...new Map(masks.map((mask) => [mask.path, mask])).values()];
  if (different.length <= MAX_MASKS) return [...pins(different), ...different];
  throw new AppError(
    'invalid_request',
    `${different.length} files of the workspace have to be kept from a command, since they may hold secrets or rules deny them, and ${MAX_MASKS} is the most. Keep them in a folder that a rule denies.`,
  );
}

/**
 * The folders above what is masked. A mask cannot be moved, since it is a mount; but a folder above it could, and by the
 * next command what is in it would have a name that nobody looks for.
 */
function pins(masks: readonly Mask[]): Mask[] {
  const paths = new Set(masks.map(({ path }) => path));
  const above = new Set<string>();
  for (const { path } of masks)
    for (let folder = dirname(path); folder !== '.' && !paths.has(folder); folder = dirname(folder)) above.add(folder);
  // From the workspace down: a later mount covers what is below it.
  return [...above].sort((a, b) => a.length - b.length).map((path) => ({ path, kind: 'pinned' }));
}

async function maskOf(workspace: string, entry: Entry, grant: Pick<Grant, 'hidesPath'>): Promise<Mask[]> {
  const { path, kind } = entry;
  if (kind === 'folder') return [{ path, kind: 'folder' }];
  if (kind === 'link') return await maskOfTarget(workspace, path);
  if (kind === 'file' && isGitConfig(path) && !grant.hidesPath(path)) {
    const text = withoutCredentials(await readFile(join(workspace, path), 'utf8').catch(() => ''));
    return text === undefined ? [] : [{ path, kind: 'copy', text }];
  }
  return [{ path, kind: 'file' }];
}

/** A link with the name of a secret makes one of what it leads to. */
async function maskOfTarget(workspace: string, path: string): Promise<Mask[]> {
  const target = await realpath(join(workspace, path)).catch(() => undefined);
  if (target === undefined || !target.startsWith(`${workspace}/`)) return [];
  const isFolder = (await stat(target)).isDirectory();
  return [{ path: relative(workspace, target), kind: isFolder ? 'folder' : 'file' }];
}

/** Hard links to what is masked. They are looked for only if there are any. */
async function otherNames(workspace: string, masks: readonly Mask[], all: readonly Entry[]): Promise<Mask[]> {
  const linked = new Set<string>();
  for (const { path, kind } of masks) if (kind !== 'folder') linked.add(await inodeOf(join(workspace, path)));
  linked.delete('');
  if (linked.size === 0) return [];
  const files = all.filter(({ kind }) => kind === 'file');
  const inodes = await Promise.all(files.map(({ path }) => inodeOf(join(workspace, path))));
  return files.flatMap(({ path }, index) => (linked.has(inodes[index] ?? '') ? [{ path, kind: 'file' }] : []));
}

/** Of a file with more than one name; else empty. */
async function inodeOf(path: string): Promise<string> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() && found.nlink > 1n ? `${found.dev}:${found.ino}` : '';
}
