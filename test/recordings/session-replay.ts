import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import { FOLDER } from './recordings.ts';

/** A process that answers as recorded. */
export interface Replay {
  url: string;
  stop(): void;
}

/** Starts a replay of the recordings on a free port. */
export async function startReplay(): Promise<Replay> {
  const child = spawn(process.execPath, [join(FOLDER, 'replay.mjs'), FOLDER, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: /http:\S+/.exec(line.toString())?.[0] ?? '', stop: () => child.kill() };
}

/** What was sent to a replay since the last question. */
export async function sentTo(url: string): Promise<{ file: string; body: string }[]> {
  return (await (await fetch(`${url}/_log`)).json()) as { file: string; body: string }[];
}

/**
 * The environment of a server whose provider is at an address. Settings over the API would have the model list asked
 * for, and a replay takes every request for a turn.
 */
export function settingsOf(type: VendorType, baseUrl: string): Record<string, string> {
  return { [PROFILES[type].keyVariables[0] ?? '']: 'sk-recorded-0000', [`${type.toUpperCase()}_BASE_URL`]: baseUrl };
}
