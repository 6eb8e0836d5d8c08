import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { execTool } from '../../src/tools/builtin/exec.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import { listenOn } from './listener.ts';
import { nastyCommands, randomCommand, type Target } from './nasty-commands.ts';
import { ONLY_SANDBOX, testFolder, toolContext } from './rig.ts';
import { snapshot } from './snapshot.ts';

const exec = execTool(ONLY_SANDBOX);

const isPossible = (await findSandbox()) !== undefined;
const skipped = isPossible ? '' : ' (skipped: bwrap is not installed, or does not work here)';

const RANDOM_LINES = 150;
const AT_ONCE = 15;

/** Fewer sandboxes: but what ends whatever runs it stays alone. */
function together(commands: readonly string[]): string[] {
  const alone = commands.filter((command) => command.includes('kill'));
  const others = commands.filter((command) => !alone.includes(command)).map((command) => `(${command}) </dev/null`);
  const groups = Array.from({ length: Math.ceil(others.length / 5) }, (_, at) => others.slice(5 * at, 5 * at + 5));
  return [...groups.map((lines) => lines.join('\n')), ...alone];
}

/** A workspace and a home with something in each, and ears on whatever could be reached. */
async function setUp(): Promise<{ target: Target; secret: string; heard: () => number; state: () => object }> {
  const secret = `sk-${randomUUID()}`;
  const [workspace, home] = [testFolder(), testFolder()];
  mkdirSync(join(workspace, 'sub'));
  for (const [path, text] of Object.entries({ 'a.txt': 'one\n', 'sub/b.sh': '#!/bin/sh\n', '.env': `KEY=${secret}\n` }))
    writeFileSync(join(workspace, path), text);
  chmodSync(join(workspace, 'sub/b.sh'), 0o750);
  symlinkSync('a.txt', join(workspace, 'link'));
  mkdirSync(join(home, '.ssh'));
  writeFileSync(join(home, '.ssh/id_rsa'), secret);
  writeFileSync(join(home, '.env'), `KEY=${secret}`);
  for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'AWS_SECRET_ACCESS_KEY']) {
    process.env[name] = secret;
    onTestFinished(() => void delete process.env[name]);
  }
  const { port, path, heard } = await listenOn(home);
  let others = 0;
  const inWorkspace = createServer(() => others++).listen(join(workspace, 'socket'));
  await once(inWorkspace, 'listening');
  const udp = createSocket('udp4').on('message', () => others++);
  udp.bind(0, '0.0.0.0');
  await once(udp, 'listening');
  onTestFinished(() => {
    inWorkspace.close();
    udp.close();
  });
  const target = { workspace, home, port, udpPort: udp.address().port, socket: path, abstract: `profclaw-${home}` };
  return {
    ...{ target, secret, heard: () => heard() + others },
    state: () => ({ workspace: snapshot(workspace), home: snapshot(home) }),
  };
}

describe.skipIf(!isPossible)(`the mode sandbox${skipped}`, () => {
  it('leaves workspace, home and network as they were, whatever is run', async () => {
    const { target, secret, heard, state } = await setUp();
    const before = state();
    for (const command of together(nastyCommands(target))) {
      const { text } = await exec.run(
        { command, timeout: 10 },
        toolContext({ workspace: target.workspace, mode: 'sandbox' }),
      );
      expect(text, command).not.toMatch(/^(?:REACHED|MOUNTED|RAW|PACKET|VSOCK)$/m);
      expect(text, command).not.toContain(secret);
      expect(state(), command).toEqual(before);
    }
    await sleep(300);
    expect(state()).toEqual(before);
    expect(heard()).toBe(0);
  });

  it('also whatever is put together at random', async () => {
    const { target, secret, heard, state } = await setUp();
    const before = state();
    let seed = Math.floor(Math.random() * 2 ** 31);
    const first = seed;
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed / 2 ** 31;
    };
    for (let lines = 0; lines < RANDOM_LINES; lines += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, () => randomCommand(random, [target.home, target.workspace]));
      const command = some.map((line) => `(${line}) </dev/null`).join('\n');
      const context = toolContext({ workspace: target.workspace, mode: 'sandbox' });
      const { text } = await exec.run({ command, timeout: 10 }, context);
      const message = `seed ${first}: ${command}`;
      expect(text, message).not.toContain(secret);
      expect(state(), message).toEqual(before);
    }
    expect(heard()).toBe(0);
  });
});

describe.skipIf(!isPossible)(`other modes${skipped}`, () => {
  it('leave everything but the workspace as it was', async () => {
    const { target, secret, heard } = await setUp();
    const before = snapshot(target.home);
    const mode = 'full';
    for (const command of together(nastyCommands(target))) {
      const context = toolContext({ workspace: target.workspace, mode });
      const { text } = await exec.run({ command, timeout: 10 }, context);
      expect(text, command).not.toMatch(/^(?:REACHED|MOUNTED|RAW|PACKET|VSOCK)$/m);
      expect(text, command).not.toContain(secret);
    }
    expect(snapshot(target.home)).toEqual(before);
    expect(heard()).toBe(0);
    // It could be written to.
    expect(existsSync(join(target.workspace, 'a.txt'))).toBe(false);
  });
});
