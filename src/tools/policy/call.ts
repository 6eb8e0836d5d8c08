import { isIP } from 'node:net';
import { hashOf } from '../../core/canonical.ts';
import type { JsonObject } from '../../core/json.ts';
import { AppError } from '../../errors.ts';
import { classOf } from '../../network/address-class.ts';
import { portOf } from '../../network/http-url.ts';
import type { Tool, ToolContext } from '../tool.ts';
import { type ResolvedPath, resolvePath } from '../workspace/resolve-path.ts';
import { type CommandLine, readCommandLine } from './shell/command-line.ts';

/** A host that a call is to reach. */
export interface CallHost {
  /** As `URL.hostname` gives it. */
  host: string;
  port: number;
  /** Does its very name say that it is on this machine or in its own network? */
  isInside: boolean;
}

/** What the policy goes by. */
export interface Call {
  tool: Pick<Tool, 'name' | 'level' | 'isForSandbox'>;
  /** Of its identity, as `hashOf` makes it. */
  identity: string;
  command: CommandLine | undefined;
  /** After links. */
  paths: readonly ResolvedPath[];
  hosts: readonly CallHost[];
  /** Why it cannot be carried out in any mode. */
  problem: string | undefined;
}

/**
 * Reads what a call is about; its paths as they are now.
 * @param given arguments that fit the tool.
 */
export async function readCall(
  tool: Tool,
  given: JsonObject,
  place: Pick<ToolContext, 'workspace' | 'hidden'>,
): Promise<Call> {
  const { name, level, isForSandbox } = tool;
  const { command, paths = [], urls = [] } = tool.subjects(given);
  const call = {
    tool: { name, level, isForSandbox },
    identity: hashOf(tool.identity(given)),
    command: command === undefined ? undefined : readCommandLine(command),
    hosts: urls.map(hostOf),
    problem: undefined,
  };
  try {
    return { ...call, paths: await Promise.all(paths.map((path) => resolvePath(place, path))) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...call, paths: [], problem: error.message };
  }
}

function hostOf(url: string): CallHost {
  const parsed = new URL(url);
  const { hostname: host } = parsed;
  return { host, port: portOf(parsed), isInside: isInside(host) };
}

/** What other names lead to is found out when they are connected to. */
function isInside(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  if (isIP(name) !== 0) return classOf(name) !== 'public';
  return /(?:^|\.)localhost\.?$/.test(name);
}
