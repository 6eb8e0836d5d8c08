import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Grant } from '../tool.ts';
import type { Shown } from './arguments.ts';
import { FORWARDER, PROXY_PORT } from './forwarder.ts';
import { startProxy } from './proxy.ts';

/** The way out of a sandbox, to the hosts that rules allow. */
export interface SandboxNetwork {
  /** What has to be seen inside. */
  shown: readonly Shown[];
  environment: Readonly<Record<string, string>>;
  /** The program and arguments that run a command with it. */
  launch(argv: readonly string[]): string[];
  /** What was refused so far, a sentence each, up to ten. */
  refusals(): string[];
  /** Ends all connections. */
  close(): Promise<void>;
}

const FOLDER_INSIDE = '/run/network';
const NODE_INSIDE = '/run/program/node';
const PROXY = `http://127.0.0.1:${PROXY_PORT}`;
const LOCAL = 'localhost,127.0.0.1,::1';

/** Opens a proxy that only a sandbox to which its socket is shown can reach. */
export async function openNetwork(hostRule: Grant['hostRule'], signal: AbortSignal): Promise<SandboxNetwork> {
  // Only this user can look into it.
  const folder = await mkdtemp(join(tmpdir(), 'profclaw-network-'));
  try {
    await chmod(folder, 0o700);
    const proxy = await startProxy(join(folder, 'proxy'), hostRule, signal);
    return {
      shown: [
        { from: folder, to: FOLDER_INSIDE },
        { from: process.execPath, to: NODE_INSIDE },
      ],
      environment: {
        ...{ http_proxy: PROXY, https_proxy: PROXY, all_proxy: PROXY, no_proxy: LOCAL },
        ...{ HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, ALL_PROXY: PROXY, NO_PROXY: LOCAL },
      },
      launch: (argv) => [NODE_INSIDE, '-e', FORWARDER, `${FOLDER_INSIDE}/proxy`, ...argv],
      refusals: () => proxy.refusals(),
      close: async () => {
        await proxy.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
