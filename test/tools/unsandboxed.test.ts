import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { execTool } from '../../src/tools/builtin/exec.ts';
import { unsandboxed, withoutSandbox } from '../../src/tools/sandbox/unsandboxed.ts';
import { SECURITY_MODES } from '../../src/tools/tool.ts';
import { countProcesses, endProcesses, testFolder, toolContext } from './rig.ts';

const exec = execTool({ find: () => Promise.resolve(undefined), isUnsandboxedAllowed: true });

const newWord = () => {
  const word = `${Math.ceil(Math.random() * 1e9) + 1e9}`;
  onTestFinished(() => endProcesses(word));
  return word;
};

async function run(command: string, signal = new AbortController().signal, onOutput = (_: string) => {}) {
  return await unsandboxed.run({
    command,
    workspace: testFolder(),
    isReadOnly: false,
    signal,
    onOutput,
    timeoutMs: 10_000,
  });
}

describe('exec where the operator allows it without a sandbox', () => {
  it.each(SECURITY_MODES)('in the mode %s', async (mode) => {
    const context = toolContext({ mode });
    const outcome = await exec.run({ command: 'touch begun; echo done' }, context);
    const isAllowed = mode !== 'sandbox' && mode !== 'deny';
    expect(outcome.text).toContain(isAllowed ? 'done' : 'no working sandbox');
    expect(existsSync(join(context.workspace, 'begun'))).toBe(isAllowed);
  });
});

describe('a command without a sandbox', () => {
  it('returns its output, and how it ended', async () => {
    expect(await run('echo a; echo b >&2; exit 3')).toEqual({
      ...{ output: 'a\nb\n', isTruncated: false, hasTimedOut: false, exitCode: 3 },
    });
    expect(await run('kill -KILL $$')).toMatchObject({ exitCode: 137 });
    expect(await run('read -r line || echo none')).toMatchObject({ output: 'none\n' });
  });

  it('sees nothing of the environment and the home of the server', async () => {
    const secret = randomUUID();
    process.env.OPENAI_API_KEY = secret;
    onTestFinished(() => void delete process.env.OPENAI_API_KEY);
    const { output } = await run('env; echo ~; ls -A ~');
    expect(output).not.toContain(secret);
    const names = output.split('\n').flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
    const own = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    expect(names.filter((name) => !own.includes(name)).sort()).toEqual(['COMMAND_ID', 'HOME', 'LANG', 'PATH', 'TERM']);
    expect(output).toMatch(/^\/.*profclaw-home-\w+$/m);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('profclaw-home-'))).toEqual([]);
  });

  const insistent = (word: string) =>
    [
      `sleep ${word} &`,
      `setsid sleep ${word} </dev/null >/dev/null 2>&1 &`,
      `(setsid sh -c 'sleep ${word} & sleep ${word}' >/dev/null 2>&1 &)`,
      `setsid sh -c 'trap "" TERM HUP INT; nohup sleep ${word}; sleep ${word}' >/dev/null 2>&1 &`,
      'sleep 0.3; echo ready',
    ].join('\n');

  it.each([
    ['with a cgroup, if there can be one', unsandboxed],
    ['without', withoutSandbox(() => undefined)],
  ])('leaves nothing of what it put into the background, %s', async (_, sandbox) => {
    const word = newWord();
    const { signal } = new AbortController();
    const command = { command: insistent(word), workspace: testFolder(), isReadOnly: false, signal };
    expect((await sandbox.run(command)).output).toContain('ready\n');
    expect(countProcesses(word)).toBe(0);
  });

  it('takes all with it when it is aborted, and when its time is over', async () => {
    const word = newWord();
    const controller = new AbortController();
    let seen = 0;
    const running = run(`${insistent(word)}; sleep ${word}`, controller.signal, () => {
      seen = countProcesses(word);
      controller.abort(new Error('enough'));
    });
    await expect(running).rejects.toThrow('enough');
    expect(seen).toBeGreaterThan(4);
    expect(countProcesses(word)).toBe(0);
    const { signal } = new AbortController();
    const command = {
      command: `${insistent(word)}; sleep ${word}`,
      workspace: testFolder(),
      isReadOnly: false,
      signal,
    };
    expect(await unsandboxed.run({ ...command, timeoutMs: 1000 })).toMatchObject({
      hasTimedOut: true,
      signal: 'SIGKILL',
    });
    expect(countProcesses(word)).toBe(0);
  });

  it('says that it cannot be started', async () => {
    const { signal } = new AbortController();
    const command = { command: 'true', workspace: '/nowhere/at/all', isReadOnly: false, signal };
    await expect(unsandboxed.run(command)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('profclaw-home-'))).toEqual([]);
  });
});
