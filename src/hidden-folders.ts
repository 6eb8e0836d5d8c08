import { existsSync, realpathSync } from 'node:fs';
import { type Config, ConfigError } from './config.ts';

/**
 * What tools must not see of the workspace: the home folder, whose key would open all secrets.
 * @returns real paths. @throws ConfigError if there is no workspace, or it is the home folder.
 */
export function hiddenFolders({ home, workspace }: Config): string[] {
  if (!existsSync(workspace)) {
    throw new ConfigError([`PROFCLAW_WORKSPACE: there is no folder ${workspace}; make it, or choose another one`]);
  }
  const [inner, outer] = [realpathSync(home), realpathSync(workspace)];
  if (inner === outer) {
    throw new ConfigError([
      `PROFCLAW_WORKSPACE: ${workspace} is the home folder, whose secrets tools must not see; choose another one`,
    ]);
  }
  return inner.startsWith(`${outer === '/' ? '' : outer}/`) ? [inner] : [];
}
