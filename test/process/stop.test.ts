import { afterAll, describe, expect, it } from 'vitest';
import { chatRequest, cleanUp, dial, start, until } from './program.ts';

afterAll(cleanUp);

describe.concurrent('SIGTERM', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('(or %s) ends an idle server at once', async (signal) => {
    const program = start();
    const url = await program.listening;
    // A connection that is kept alive holds nothing up.
    const idle = await dial(url);
    idle.socket.write(`GET /health HTTP/1.1\r\nhost: ${new URL(url).host}\r\n\r\n`);
    await until('the answer', () => idle.text().includes('"ok"'));
    const silent = await dial(url);
    const sent = performance.now();
    program.child.kill(signal);
    const { code, at } = await program.ended;
    expect(code).toBe(0);
    expect(at - sent).toBeLessThan(5000);
    await idle.closed;
    await silent.closed;
  });

  it('lets a running stream end, and admits nothing new', async () => {
    const program = start();
    const url = await program.listening;
    const running = await dial(url);
    const waiting = await dial(url);
    running.socket.write(chatRequest(url, '/say 12345678901234567890\n/stream 20 100'));
    await until('the first pieces', () => running.text().includes('"content"'));
    // A request that is half sent when the signal comes: its connection is not an idle one.
    const request = chatRequest(url, '/say no');
    waiting.socket.write(request.slice(0, 50));
    await new Promise((resolve) => setTimeout(resolve, 100));
    program.child.kill('SIGTERM');
    await until('the signal to be heard', () => program.stderr().includes('stopping'));
    const late = await dial(url).then(
      () => 'connected',
      (error) => error.code,
    );
    expect(late).toBe('ECONNREFUSED');
    waiting.socket.write(request.slice(50));
    await until('the refusal', () => waiting.text().includes('}'));
    expect(waiting.text()).toMatch(/^HTTP\/1\.1 503 /);
    expect(waiting.text()).toContain('"code":"shutting_down"');
    expect(waiting.text()).toMatch(/\r\nretry-after: \d+\r\n/i);
    expect(waiting.text()).toMatch(/\r\nconnection: close\r\n/i);
    expect(running.text()).not.toContain('"done":true');
    const { code } = await program.ended;
    expect(code).toBe(0);
    await running.closed;
    const digits = [...running.text().matchAll(/"content":"(\d)"/g)].map((match) => match[1]).join('');
    expect(digits).toBe('12345678901234567890');
    expect(running.text()).toContain('"finishReason":"stop"');
    // The end of the body: nobody can take the answer for one that was cut.
    expect(running.text().endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  it('refuses the next request on the connection of a running stream', async () => {
    const program = start();
    const url = await program.listening;
    const line = await dial(url);
    line.socket.write(chatRequest(url, '/say 1234567890\n/stream 10 150'));
    await until('the first pieces', () => line.text().includes('"content"'));
    program.child.kill('SIGTERM');
    await until('the signal to be heard', () => program.stderr().includes('stopping'));
    line.socket.write(chatRequest(url, '/say no'));
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
    expect(at - sent).toBeLessThan(10_000);
    await stalled.closed;
    const last = stalled
      .text()
      .split('\n')
      .findLast((line) => line.startsWith('data: '));
    expect(JSON.parse(last?.slice(6) ?? '')).toMatchObject({ code: 'shutting_down', done: true, partial: true });
    expect(stalled.text().endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  it('is not held up by a caller who does not read', async () => {
    const program = start({ PROFCLAW_STOP_TIMEOUT: '0.5' });
    const url = await program.listening;
    const deaf = await dial(url);
    deaf.socket.write(chatRequest(url, `/say ${'x'.repeat(9_000_000)}\n/stream 1000\n/stall`));
    await until('the first pieces', () => deaf.text().includes('"content"'));
    deaf.socket.pause();
    const sent = performance.now();
    program.child.kill('SIGTERM');
    const { code, at } = await program.ended;
    expect(code).toBe(0);
    expect(at - sent).toBeLessThan(10_000);
    deaf.socket.destroy();
  });
});
