import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Config } from '../../config.ts';
import { hiddenFolders } from '../../hidden-folders.ts';
import { sandboxState } from '../../tools/sandbox/choose-sandbox.ts';
import { type Finding, failed, none, ok, reasonOf, warning } from './finding.ts';

/** What tools work with. */
export async function examineTools(config: Config): Promise<Finding[]> {
  return [workspace(config), ...(await sandbox(config)), search(config)];
}

function workspace(config: Config): Finding {
  const { workspace: folder, home } = config;
  const choose = 'set PROFCLAW_WORKSPACE to the folder that agents should work in';
  if (!existsSync(folder)) return failed('workspace', `there is no folder ${folder}`, `make it, or ${choose}`);
  if (!statSync(folder).isDirectory()) return failed('workspace', `${folder} is not a folder`, choose);
  const real = realpathSync(folder);
  if (existsSync(home)) {
    try {
      hiddenFolders(config);
    } catch {
      return failed('workspace', `${folder} is the home folder of profclaw, with its secrets`, choose);
    }
  }
  if (real === '/') return failed('workspace', 'it is /, so agents see the whole machine', choose);
  if (real === realpathSync(homedir())) return warning('workspace', `${folder} is your own home folder`, choose);
  try {
    accessSync(real, constants.W_OK | constants.X_OK);
    return ok('workspace', real);
  } catch (error) {
    return warning('workspace', `agents cannot write there: ${reasonOf(error)}`, choose);
  }
}

async function sandbox({ tools }: Config): Promise<Finding[]> {
  const { kind, bounds } = await sandboxState();
  if (kind === 'none') {
    const fix = 'install bubblewrap (apt-get install bubblewrap); docs/tools.md says what else it needs';
    const says = tools.isUnsandboxedAllowed
      ? 'none works here: commands run without one (PROFCLAW_UNSANDBOXED_EXEC)'
      : 'none works here: the tool exec starts no commands';
    return [warning('sandbox', says, fix)];
  }
  const unbounded = none('bounds', 'no cgroup can be made: the server itself watches memory and processes');
  return [ok('sandbox', 'bubblewrap works'), bounds === 'cgroup' ? ok('bounds', 'by cgroups') : unbounded];
}

function search({ tools }: Config): Finding {
  if (tools.webSearch) return ok('web search', `by ${tools.webSearch.provider}`);
  return none('web search', 'no key, so the tool web_search is not there', 'set BRAVE_API_KEY or TAVILY_API_KEY');
}
