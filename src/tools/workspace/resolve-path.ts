import type { Place } from './root.ts';
import { isSecretPath } from './secret-path.ts';
import { withPath } from './walk.ts';

/** Where a path of a call leads. */
export interface ResolvedPath {
  /** In the workspace, without links: `src/a.ts`; the workspace itself is `.`. */
  path: string;
  /** May it hold a secret: a key, a `.env`? */
  isSecret: boolean;
  /** Did a link lead there? */
  isLinked: boolean;
}

/**
 * Says where a path leads now, also one that nothing is at yet. It is for deciding; whoever opens it walks again, since
 * it may lead somewhere else by then.
 * @throws AppError `invalid_request` if it is outside, is the server's own, or leads nowhere.
 */
export function resolvePath(place: Place, given: string): Promise<ResolvedPath> {
  return withPath(place, given, ({ path, isLinked }) =>
    Promise.resolve({ path, isSecret: isSecretPath(path), isLinked }),
  );
}
