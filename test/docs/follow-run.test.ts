import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// The client that docs/runs.md prints is run as printed, but for its pause, over connections that break.

interface Event {
  id: number;
  type: string;
  data: Json;
}

type Run = (server: string, conversation: string, message: object) => AsyncGenerator<Event>;

const PAGE = join(import.meta.dirname, '../../docs/runs.md');

let folder: string;
let run: Run;
let server: TestServer;
let proxy: Server;
/** After how many bytes of its answer each connection is broken, one after the other; none left: not at all. */
let cuts: number[];
/** From where on events were asked for. */
let resumed: number[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-follow-'));
  run = await clientOfPage();
  cuts = [];
  resumed = [];
  server = await start();
  proxy = createServer((socket) => {
    const left = cuts.shift() ?? Number.POSITIVE_INFINITY;
    const upstream = connect(Number(new URL(server.url).port), '127.0.0.1');
    let sent = 0;
    socket.on('data', (bytes) => {
      const [, from] = /^last-event-id: (\d+)/im.exec(bytes.toString()) ?? [];
      if (from !== undefined) resumed.push(Number(from));
    });
    socket.pipe(upstream);
    upstream.on('data', (bytes) => {
      const piece = bytes.subarray(0, left - sent);
      sent += piece.length;
      socket.write(piece);
      if (sent >= left) upstream.destroy();
    });
    upstream.on('close', () => socket.destroySoon());
    socket.on('close', () => upstream.destroy());
    for (const end of [socket, upstream]) end.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  proxy.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Again with the same home, as after a restart. */
function start(): Promise<TestServer> {
  return startTestServer({ PROFCLAW_WORKSPACE: folder }, join(folder, 'home'));
}

async function clientOfPage(): Promise<Run> {
  const printed = /```js\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
  const code = printed.replace('sleep(1000)', 'sleep(10)');
  expect(code).not.toBe(printed);
  const file = join(folder, 'follow-run.mjs');
  writeFileSync(file, code);
  const { run: client } = (await import(pathToFileURL(file).href)) as { run: Run };
  return client;
}

function addressOfProxy(): string {
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function newConversation(): Promise<string> {
  return (await server.call('/api/chat/conversations', {})).body.conversation.id;
}

/** What the server itself has of its only run. */
async function stored(): Promise<Event[]> {
  const { runs } = (await server.call('/api/chat/runs')).body;
  expect(runs).toHaveLength(1);
  const response = await fetch(`${server.url}/api/chat/runs/${runs[0].id}/events`);
  const blocks = (await response.text()).split('\n\n').slice(1, -1);
  return blocks.map((block) => {
    const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? [];
    return { id: Number(id), ...JSON.parse(data ?? '') };
  });
}

describe('the client of docs/runs.md', () => {
  it('yields every event once, wherever connections break', async () => {
    const conversation = await newConversation();
    // Before the head, in it, in the event that names the run, after it, and then always before the last event.
    cuts = [0, 100, 900, 1300, 800, 700, 850, 800];
    const content = '/say One two three four five six\n/stream 6 60\n/tool list_directory\n/next\n/say Done.';
    const seen: Event[] = [];
    for await (const event of run(addressOfProxy(), conversation, { model: 'demo', content })) seen.push(event);
    expect(cuts).toEqual([]);
    expect(resumed.length).toBeGreaterThan(1);
    expect(resumed).toEqual(resumed.toSorted((a, b) => a - b));
    expect(seen.map(({ id }) => id)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.at(-1)?.type).toBe('complete');
    expect(seen).toEqual(await stored());
  });

  it('goes on where it was when the server has been restarted', async () => {
    const conversation = await newConversation();
    const content = '/say One two three\n/stream 3 60\n/tool list_directory\n/next\n/say Four five six\n/stream 3 60';
    const seen: Event[] = [];
    for await (const event of run(addressOfProxy(), conversation, { model: 'demo', content })) {
      seen.push(event);
      if (event.id !== 4) continue;
      await server.stop();
      server = await start();
    }
    expect(seen).toEqual(await stored());
    expect((await server.call('/api/chat/runs')).body.runs[0]).toMatchObject({ status: 'completed', attempts: 2 });
  });

  it('says what is wrong with a request', async () => {
    const events = run(addressOfProxy(), await newConversation(), { model: 'demo', contents: 'x' });
    await expect(events.next()).rejects.toThrow(/contents: there is no such field/);
  });
});
