import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import packageJson from '../../../package.json' with { type: 'json' };
import { type Finding, failed, ok, warning } from './finding.ts';

const LIMIT_MS = 5000;
/** Beside the bundle, or where the build leaves the page beside the sources. */
const PAGES = ['web', '../../../dist/web'].map((path) => join(import.meta.dirname, path));

/** The program itself, and what it needs of the machine. */
export async function examineProgram(): Promise<Finding[]> {
  return [ok('profclaw', packageJson.version), node(), page(), await git()];
}

function node(): Finding {
  const wanted = packageJson.engines.node.replace('>=', '');
  const [have, need] = [numbers(process.versions.node), numbers(wanted)];
  const isNewer = have.major > need.major || (have.major === need.major && have.minor >= need.minor);
  if (isNewer) return ok('Node.js', process.versions.node);
  return failed('Node.js', `${process.versions.node}, which is too old`, `install Node.js ${wanted} or newer`);
}

function numbers(version: string): { major: number; minor: number } {
  const [major, minor] = version.split('.').map(Number);
  return { major: major ?? 0, minor: minor ?? 0 };
}

function page(): Finding {
  const folder = PAGES.find((path) => existsSync(join(path, 'index.html')));
  if (folder !== undefined) return ok('page', 'built');
  return warning('page', 'not built: there is only the API', 'run `npm run build`');
}

async function git(): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], { timeout: LIMIT_MS });
    return ok('git', stdout.trim().replace(/^git version /, ''));
  } catch {
    return warning('git', 'not found: the git tools do not work', 'install git');
  }
}
