import { realpath, writeFile } from 'node:fs/promises';
import { constants as osConstants, setPriority } from 'node:os';
import { AppError } from '../../errors.ts';
import type { Surroundings } from './arguments.ts';
import { BoundedText } from './bounded-text.ts';
import { type Bubblewrap, type Started, startSandbox } from './bubblewrap.ts';
import { type Cgroup, makeCgroup } from './cgroup.ts';
import { EndOfCommand } from './end-of-command.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { findMasks } from './masks.ts';
import { openNetwork, type SandboxNetwork } from './network.ts';
import { readOutput } from './output.ts';
import { childrenOf } from './process-tree.ts';
import { resourceLimits } from './resource-limits.ts';
import type { SandboxCommand, SandboxResult } from './sandbox.ts';
import { watch } from './watch.ts';

/** How long a command may take. */
export const DEFAULT_TIMEOUT_MS = 120_000;
/** How many characters of its output are kept. */
export const DEFAULT_MAX_OUTPUT = 2_000_000;

/** Folders that would take the sandbox's own place. */
const NO_WORKSPACE = /^\/(?:(?:dev|etc|proc|sys)(?:\/.*)?)?$/;

/** Runs a command as `Sandbox.run` says. */
export async function runIn(bwrap: Bubblewrap, options: SandboxCommand): Promise<SandboxResult> {
  const { workspace, hidden = [], signal, grant, hostRule } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const real = await checkWorkspace(workspace);
  const masks = await findMasks(real, hidden, grant);
  signal.throwIfAborted();
  const network = hostRule && (await openNetwork(hostRule, signal));
  const cgroup = makeCgroup(bwrap.cgroups, limits);
  try {
    const surroundings: Surroundings = {
      ...{ workspace, masks, isReadOnly: options.isReadOnly, scratch: bwrap.hasSizes ? limits.scratch : undefined },
      shown: network?.shown ?? [],
      environment: { ...network?.environment, ...options.environment },
    };
    const result = await runBounded(bwrap, options, { limits, surroundings, network, cgroup });
    const refusals = network?.refusals() ?? [];
    return refusals.length === 0 ? result : { ...result, refusals };
  } finally {
    await network?.close();
    await cgroup?.remove();
  }
}

interface Setting {
  limits: Limits;
  surroundings: Surroundings;
  network: SandboxNetwork | undefined;
  cgroup: Cgroup | undefined;
}

async function runBounded(bwrap: Bubblewrap, options: SandboxCommand, setting: Setting): Promise<SandboxResult> {
  const { signal } = options;
  const { limits, surroundings, network, cgroup } = setting;
  signal.throwIfAborted();
  const argv = typeof options.command === 'string' ? ['/bin/sh', '-c', options.command] : options.command;
  const started = startSandbox(bwrap, {
    argv: network ? network.launch(argv) : argv,
    resourceLimits: resourceLimits(limits, cgroup !== undefined),
    surroundings,
  });
  const end = new EndOfCommand(started.kill, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal);
  const { kept } = readOutput(
    started.output,
    options.maxOutput ?? DEFAULT_MAX_OUTPUT,
    limits.output,
    options.onOutput?.bind(options),
    () => end.exceed('output'),
  );
  const complaints = new BoundedText(2000);
  started.complaint.setEncoding('utf8').on('data', (piece: string) => complaints.add(piece));
  const over = new AbortController();
  const watching = begin(started, setting, over.signal).then((limit) => limit && end.exceed(limit), started.kill);
  try {
    const { exitCode, signal: deadly } = await started.ended;
    over.abort();
    await watching;
    signal.throwIfAborted();
    // It may have ended before anybody looked.
    const exceeded = end.exceeded ?? (exitCode === 0 ? undefined : cgroup?.exceeded());
    const result = {
      ...{ output: kept.toString(), isTruncated: kept.isTruncated, hasTimedOut: end.hasTimedOut },
      ...(exceeded && { exceeded }),
    };
    if (exitCode !== undefined) return { ...result, exitCode };
    if (deadly !== null) return { ...result, signal: deadly };
    throw new AppError('internal', `The sandbox cannot be set up: ${complaints.toString().trim()}`);
  } finally {
    over.abort();
    end.settle();
  }
}

/** Bounds what was started, lets it begin, and watches it. */
async function begin(started: Started, { limits, surroundings, cgroup }: Setting, signal: AbortSignal) {
  const root = await started.ready;
  if (root === undefined) return undefined;
  const [first] = childrenOf(root);
  if (first === undefined) return undefined;
  await Promise.all([cgroup?.add(first), giveWay(first)]);
  started.release();
  return await watch({ root, workspace: surroundings.workspace, limits, cgroup }, signal);
}

/** The server comes first: when there is too little of a processor, and of memory. */
async function giveWay(pid: number): Promise<void> {
  try {
    setPriority(pid, osConstants.priority.PRIORITY_BELOW_NORMAL);
    await writeFile(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // It is not ours to say, or the process has ended.
  }
}

/** @returns the workspace without links. @throws AppError `invalid_request` */
async function checkWorkspace(workspace: string): Promise<string> {
  const real = await realpath(workspace).catch((error: Error) => {
    throw new AppError('invalid_request', `The workspace cannot be used: ${error.message}`, { cause: error });
  });
  if (NO_WORKSPACE.test(real))
    throw new AppError(
      'invalid_request',
      `Commands cannot be isolated with ${JSON.stringify(workspace)} as their workspace; choose a folder of its own`,
    );
  return real;
}
