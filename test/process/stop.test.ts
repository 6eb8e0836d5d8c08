import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import { CHUNKED_HEAD, chunk, DONE, delta, FINISH, startBadUpstream } from '../upstream/bad-upstream.ts';
import { chatRequest, cleanUp, dial, type Program, start, tempFolder, until } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

const JSON_TYPE = { 'content-type': 'application/json' };

async function post(url: string, body: object): Promise<Json> {
  return await (await fetch(url, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) })).json();
}

/** Longer than a test may take: who waits for it never comes back. */
const NEVER = { PROFCLAW_STOP_TIMEOUT: '1000' };

/** A program with a provider whose streams begin with `first` and go on, with `rest`, when the test says so. */
async function held(first: string, rest: string): Promise<{ program: Program; model: string; release: () => void }> {
  const upstream = await startBadUpstream();
  const { model, seen } = upstream.script(({ socket }) => socket.write(CHUNKED_HEAD + chunk(delta(first)).toString()));
  const program = start({ ...NEVER, OPENAI_API_KEY: 'k', OPENAI_BASE_URL: upstream.url });
  void program.ended.then(() => upstream.close());
  const release = (): void => {
    for (const { socket } of seen) socket.write(Buffer.concat([chunk(delta(rest) + FINISH + DONE), chunk('')]));
  };
  return { program, model: `openai/${model}`, release };
}

/** Half a request: its connection is not an idle one. Sent by `finish`, it is refused, and what came before it was read. */
async function half(url: string): Promise<{ finish: () => Promise<string> }> {
  const line = await dial(url);
  const request = chatRequest(url, '/say no');
  line.socket.write(request.slice(0, 50));
  // The server has read it when it has answered what was sent after it.
  await (await fetch(`${url}/health`)).text();
  return {
    finish: async () => {
      line.socket.write(request.slice(50));
      await until('the refusal', () => line.text().includes('}'));
      return line.text();
    },
  };
}

describe.concurrent('SIGTERM', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('(or %s) ends an idle server at once', async (signal) => {
    const program = start(NEVER);
    const url = await program.listening;
    // A connection that is kept alive holds nothing up.
    const idle = await dial(url);
    idle.socket.write(`GET /health HTTP/1.1\r\nhost: ${new URL(url).host}\r\n\r\n`);
    await until('the answer', () => idle.text().includes('"ok"'));
    const silent = await dial(url);
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: 0 });
    await idle.closed;
    await silent.closed;
  });

  it('lets a running stream end, and admits nothing new', async () => {
    const { program, model, release } = await held('12345', '67890');
    const url = await program.listening;
    const running = await dial(url);
    running.socket.write(chatRequest(url, 'hello', model));
    await until('the first piece', () => running.text().includes('12345'));
    const waiting = await half(url);
    program.child.kill('SIGTERM');
    await until('the signal to be heard', () => program.stderr().includes('stopping'));
    const late = await dial(url).then(
      () => 'connected',
      (error) => error.code,
    );
    expect(late).toBe('ECONNREFUSED');
    const refusal = await waiting.finish();
    expect(refusal).toMatch(/^HTTP\/1\.1 503 /);
    expect(refusal).toContain('"code":"shutting_down"');
    expect(refusal).toMatch(/\r\nretry-after: \d+\r\n/i);
    expect(refusal).toMatch(/\r\nconnection: close\r\n/i);
    expect(running.text()).not.toContain('"done":true');
    release();
    expect(await program.ended).toMatchObject({ code: 0 });
    await running.closed;
    expect(running.text()).toContain('67890');
    expect(running.text()).toContain('"finishReason":"stop"');
    // The end of the body: nobody can take the answer for one that was cut.
    expect(running.text().endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  it('refuses the next request on the connection of a running stream', async () => {
    const { program, model, release } = await held('first', 'second');
    const url = await program.listening;
    const line = await dial(url);
    line.socket.write(chatRequest(url, 'hello', model));
    await until('the first piece', () => line.text().includes('first'));
    const waiting = await half(url);
    program.child.kill('SIGTERM');
    await until('the signal to be heard', () => program.stderr().includes('stopping'));
    line.socket.write(chatRequest(url, '/say no'));
    // Sent after it, so the one before has been read too.
    await waiting.finish();
    release();
    expect(await program.ended).toMatchObject({ code: 0 });
    await line.closed;
    expect(line.text()).toContain('"finishReason":"stop"');
    expect(line.text()).not.toContain('"content":"no"');
    expect(line.text()).toContain('"code":"shutting_down"');
  });

  it('breaks off a stream that has stalled when PROFCLAW_STOP_TIMEOUT is over, and says so in it', async () => {
    const program = start({ PROFCLAW_STOP_TIMEOUT: '1' });
    const url = await program.listening;
    const stalled = await dial(url);
    stalled.socket.write(chatRequest(url, '/say something\n/stall'));
    await until('the first pieces', () => stalled.text().includes('something'));
    const sent = performance.now();
    program.child.kill('SIGTERM');
    const { code, at } = await program.ended;
    expect(code).toBe(0);
    expect(at - sent).toBeGreaterThan(950);
    await stalled.closed;
    const last = stalled
      .text()
      .split('\n')
      .findLast((line) => line.startsWith('data: '));
    expect(JSON.parse(last?.slice(6) ?? '')).toMatchObject({ code: 'shutting_down', done: true, partial: true });
    expect(stalled.text().endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  it('leaves a run to the next start, which goes on with it; who watched is let go', async () => {
    const program = start({ PROFCLAW_STOP_TIMEOUT: '0.2', PROFCLAW_WORKSPACE: tempFolder() });
    const url = await program.listening;
    const { conversation } = await post(`${url}/api/chat/conversations`, { model: 'demo' });
    const content = '/tool list_directory {}\n/next\n/stream 8 400\n/say 1 2 3 4 5 6 7 8';
    const path = `${url}/api/chat/conversations/${conversation.id}/messages/agentic`;
    const watching = fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ content }) });
    await until('the second step', async () => {
      const { runs } = (await (await fetch(`${url}/api/chat/runs`)).json()) as Json;
      return runs[0]?.steps === 2;
    });
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 0 });
    // Whole events, and none that says it was the end.
    const seen = await (await watching).text();
    expect(seen).toMatch(/\n\n$/);
    expect(seen).not.toMatch(/"type":"(complete|error)"/);
    const again = start({ PROFCLAW_HOME: program.home, PROFCLAW_WORKSPACE: tempFolder() });
    const [, id] = /"sessionId":"(run_\w+)"/.exec(seen) ?? [];
    const after = seen.match(/^id: \d+$/gm)?.length;
    const rest = await (await fetch(`${await again.listening}/api/chat/runs/${id}/events?after=${after}`)).text();
    const numbers = [...(seen + rest).matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(rest).toContain('"type":"attempt:reset"');
    expect(rest.split('\n\n').at(-2)).toContain('"type":"complete"');
    // The first step was not done again.
    expect((seen + rest).split('"type":"tool:call"')).toHaveLength(2);
  });

  it('is not held up by a caller who does not read', async () => {
    const program = start({ PROFCLAW_STOP_TIMEOUT: '0.5' });
    const url = await program.listening;
    const deaf = await dial(url);
    deaf.socket.write(chatRequest(url, `/say ${'x'.repeat(9_000_000)}\n/stream 1000\n/stall`));
    await until('the first pieces', () => deaf.text().includes('"content"'));
    deaf.socket.pause();
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 0 });
    deaf.socket.destroy();
  });
});
