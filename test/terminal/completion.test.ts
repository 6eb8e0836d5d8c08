import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { atTerminal, cleanUp, environmentOf, KEYS, newHome, run } from './rig.ts';

vi.setConfig({ testTimeout: 150_000 });

afterAll(cleanUp);

it('completes commands, options and their values in a real bash', async () => {
  const home = newHome();
  const environment = environmentOf(home);
  const { stdout, code } = await run(['completion', 'bash'], environment);
  expect(code).toBe(0);
  const rc = join(home, 'rc');
  writeFileSync(
    rc,
    `PS1='$ '\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n${stdout}\nprofclaw() { echo "ran: $*"; }\n`,
  );
  writeFileSync(join(home, 'my-notes.txt'), '');
  const bash = atTerminal(['--noprofile', '--rcfile', rc, '-i'], environment, { file: '/bin/bash' });
  let at = await bash.sees('$ ');
  const completes = async (typed: string, whole: string): Promise<void> => {
    bash.type(`${typed}${KEYS.enter}`);
    at = await bash.sees(`ran: ${whole}\n`, at);
    at = await bash.sees('$ ', at);
  };
  await completes('profclaw ch\t', 'chat');
  await completes('profclaw chat --mo\tx', 'chat --modex');
  await completes('profclaw chat --mode al\t', 'chat --mode allowlist');
  await completes('profclaw chat --effort=h\t', 'chat --effort=high');
  await completes('profclaw runs wa\t', 'runs watch');
  await completes('profclaw runs list --status wai\t', 'runs list --status waiting_approval');
  await completes(`profclaw chat --file ${home}/my-n\t`, `chat --file ${home}/my-notes.txt`);
  await completes('profclaw completion f\t', 'completion fish');
  bash.type(`exit${KEYS.enter}`);
  expect(await bash.ended).toBe(0);
});

it('prints scripts that the shells can read', async () => {
  const environment = environmentOf(newHome());
  for (const shell of ['zsh', 'fish']) {
    const { stdout, code } = await run(['completion', shell], environment);
    expect(code).toBe(0);
    for (const word of ['chat', 'runs', 'allowlist', 'waiting_approval']) expect(stdout).toContain(word);
  }
  expect(await run(['completion', 'csh'], environment)).toMatchObject({ code: 2 });
});
