import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countProcesses, ONLY_SANDBOX, toolContext } from '../../../test/tools/rig.ts';
import { sandboxState } from '../sandbox/choose-sandbox.ts';
import { findSandbox, probeSandbox } from '../sandbox/find-sandbox.ts';
import { DEFAULT_LIMITS } from '../sandbox/limits.ts';
import { SECURITY_MODES } from '../tool.ts';
import { execTool } from './exec.ts';

const exec = execTool(ONLY_SANDBOX);

const hasSandbox = (await findSandbox()) !== undefined;
const skipped = hasSandbox ? '' : ' (skipped: bwrap is not installed, or does not work here)';

const done = (text: string) => ({ text, isError: false });
const failed = (text: string) => ({ text, isError: true });

describe('exec without a sandbox', () => {
  it.each(SECURITY_MODES)('runs nothing in the mode %s, and says what to install', async (mode) => {
    const context = toolContext({ mode });
    const outcome = await execTool({ find: () => probeSandbox('/nowhere/bwrap'), isUnsandboxedAllowed: false }).run(
      { command: 'touch begun' },
      context,
    );
    expect(outcome).toEqual({ text: expect.stringContaining('apt-get install bubblewrap'), isError: true });
    expect(existsSync(join(context.workspace, 'begun'))).toBe(false);
  });
});

describe('the state of the sandbox', () => {
  it('says what there is', async () => {
    expect(await sandboxState()).toEqual({
      kind: hasSandbox ? 'bubblewrap' : 'none',
      bounds: expect.stringMatching(/^(?:cgroup|watch)$/),
      limits: DEFAULT_LIMITS,
    });
  });
});

describe('the arguments of exec', () => {
  it.each([
    [{}, 'command'],
    [{ command: '' }, 'command'],
    [{ command: 'a\0b' }, 'command'],
    [{ command: 'x'.repeat(40_001) }, 'command'],
    [{ command: 'true', timeout: 0 }, 'timeout'],
    [{ command: 'true', timeout: 601 }, 'timeout'],
    [{ command: 'true', timeout: 1.5 }, 'timeout'],
    [{ command: 'true', cwd: '/' }, ''],
  ])('%j: something is wrong with %j', (given, path) => {
    expect(exec.check(given).map((issue) => issue.path)).toEqual([path]);
  });
});

describe.skipIf(!hasSandbox)(`exec${skipped}`, () => {
  it.each([
    ['printf abc', done('abc')],
    ['true', done('(no output)')],
    ['echo abc; exit 3', failed('abc\n[exit code 3]')],
    ['printf abc; exit 3', failed('abc\n[exit code 3]')],
    ['false', failed('[exit code 1]')],
    ['echo oh >&2', done('oh\n')],
    [`printf %s '${'€'.repeat(39_900)}' | wc -c`, done('119700\n')],
  ])('of %.60s', async (command, outcome) => {
    expect(await exec.run({ command }, toolContext())).toEqual(outcome);
  });

  it('stops a command whose time is over', async () => {
    const outcome = await exec.run({ command: 'echo begun; sleep 1000', timeout: 1 }, toolContext());
    expect(outcome).toEqual(failed('begun\n[stopped: it was not done after 1 s]'));
  });

  it.each(SECURITY_MODES)('in the mode %s writes into the workspace unless that is sandbox', async (mode) => {
    const context = toolContext({ mode });
    const { isError } = await exec.run({ command: 'touch written' }, context);
    const isWritten = existsSync(join(context.workspace, 'written'));
    expect([isError, isWritten]).toEqual(mode === 'sandbox' ? [true, false] : [false, true]);
  });

  it('passes its output on as it comes, but not without end', async () => {
    const controller = new AbortController();
    let text = '';
    let begun = false;
    const progress = (piece: string) => {
      begun ||= piece.startsWith('one\n');
      text += piece;
      // Enough has been written to know that no more comes.
      if (text.endsWith('shown …]\n')) setTimeout(() => controller.abort(new Error('enough')), 100);
    };
    const running = exec.run({ command: 'echo one; yes' }, toolContext({ signal: controller.signal, progress }));
    await expect(running).rejects.toThrow('enough');
    expect(begun).toBe(true);
    expect(text).toHaveLength(100_000 + '\n[… the command goes on, but no more of its output is shown …]\n'.length);
  });

  it('says which limit ended it', async () => {
    expect((await exec.run({ command: 'yes' }, toolContext())).text).toMatch(
      /\n\[killed: it wrote more than 64 MiB to its output\]$/,
    );
    const { text } = await exec.run({ command: 'exec sh -c "kill -XFSZ \\$\\$"' }, toolContext());
    expect(text).toBe('[exit code 153: a file may have 1 GiB at most]');
  });

  it('keeps secrets of the workspace from a command, but for those that are granted', async () => {
    const context = toolContext();
    writeFileSync(join(context.workspace, '.env'), 'hunter2');
    expect((await exec.run({ command: 'cat .env' }, context)).text).toBe('(no output)');
    const grant = { ...context.grant, opensSecret: () => true };
    expect((await exec.run({ command: 'cat .env' }, { ...context, grant })).text).toBe('hunter2');
  });

  it('is for rules its command, whatever the time that it may take', () => {
    const given = { command: 'ls -l', timeout: 3 };
    expect([exec.subjects(given), exec.identity(given)]).toEqual([{ command: 'ls -l' }, { command: 'ls -l' }]);
  });

  it('throws why it was aborted, and leaves nothing', async () => {
    const controller = new AbortController();
    const word = `${Math.ceil(Math.random() * 1e9) + 1e9}`;
    const progress = () => controller.abort(new Error('enough'));
    const command = `sleep ${word} & setsid sleep ${word} & echo ready; sleep ${word}`;
    const running = exec.run({ command }, toolContext({ signal: controller.signal, progress }));
    await expect(running).rejects.toThrow('enough');
    expect(countProcesses(word)).toBe(0);
  });

  it('says that the workspace is not there', async () => {
    const outcome = await exec.run({ command: 'true' }, toolContext({ workspace: '/nowhere/at/all' }));
    expect(outcome).toEqual({ text: expect.stringContaining('/nowhere/at/all'), isError: true });
  });
});
