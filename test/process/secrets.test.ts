import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { delta, good, head, reply, type Script, STREAM_HEAD, startBadUpstream } from '../upstream/bad-upstream.ts';
import { chat, cleanUp, start } from './program.ts';

vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

const KEY = 'sk-secret-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const whole = (status: number, body: unknown): Script => {
  return ({ socket }) => socket.write(reply(status, body));
};

/** An upstream that works, and ones that fail with the key in their mouth. */
const SCRIPTS: readonly Script[] = [
  (seen) => good(seen),
  whole(401, { error: { message: `Incorrect API key provided: ${KEY}` } }),
  whole(500, { error: { message: `Failed for ${KEY}` }, retry_after: 0 }),
  whole(200, `<html>${KEY}</html>`),
  whole(200, `nonsense ${KEY}`),
  whole(200, { error: { message: KEY } }),
  ({ socket }) => socket.end(`${KEY}\r\n\r\n`),
  ({ socket }) => socket.end(`${head(200, 'transfer-encoding: chunked')}${KEY}\r\n`),
  ({ socket }) => socket.end(`${STREAM_HEAD}${delta('some')}data: ${KEY}\n\n`),
  ({ socket }) => socket.resetAndDestroy(),
];

it('a key from the environment stays out of output, log and home, whatever happens', async () => {
  const upstream = await startBadUpstream();
  const program = start({
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: upstream.url,
    PROFCLAW_LOG_LEVEL: 'trace',
  });
  const url = await program.listening;
  const scripted = SCRIPTS.map((script) => upstream.script(script));
  const answers = await Promise.all(
    scripted.flatMap(({ model }) =>
      [false, true].map(async (stream) => await (await chat(url, `openai/${model}`, 'hello', stream)).text()),
    ),
  );
  const providers = await (await fetch(`${url}/api/chat/providers`)).text();
  const health = await (await fetch(`${url}/api/chat/providers/openai/health`, { method: 'POST' })).text();
  program.child.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0 });
  await upstream.close();

  expect(scripted.every(({ seen }) => seen[0]?.head.includes(`Bearer ${KEY}`))).toBe(true);
  expect(answers[0]).toContain('good');
  // The failures were logged, at a level that tells all.
  expect(program.stderr().split('\n').length).toBeGreaterThan(answers.length);
  expect(program.stderr()).toContain('"level":50');
  const files = readdirSync(program.home).map((name) => readFileSync(join(program.home, name), 'latin1'));
  const everything = [program.stdout(), program.stderr(), providers, health, ...answers, ...files].join('\n');
  expect(everything).not.toContain(KEY);
  expect(everything).not.toContain(KEY.slice(0, 16));
});
