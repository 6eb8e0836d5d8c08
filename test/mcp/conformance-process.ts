// What the conformance suite of the protocol starts, with the address of its server: does what we do with any server.
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { usualClocks } from '../../src/tools/mcp/clocks.ts';
import { RemoteServer } from '../../src/tools/mcp/remote-server.ts';
import { parseMcpServer } from '../../src/tools/mcp/server-config.ts';
import { serverFetch } from '../../src/tools/mcp/server-fetch.ts';
import { toolContext } from '../tools/rig.ts';

const read = parseMcpServer({ url: process.argv.at(-1), timeout: 20 });
if ('problems' in read) throw new Error(JSON.stringify(read.problems));
const { config } = read;
const server = new RemoteServer({
  ...{ name: 'suite', config, version: '1.0.0', environment: {}, clocks: usualClocks, log: pino({ level: 'silent' }) },
  fetch: serverFetch(config, true),
  changed: () => undefined,
});
await server.connect();
if (server.state.state !== 'connected') throw new Error(server.state.message);
// Its servers take two numbers, or nothing.
for (const tool of server.tools) {
  const { text, isError } = await tool.run({ a: 5, b: 3 }, toolContext({ workspace: '/nowhere' }));
  if (isError) throw new Error(text);
}
await sleep(100);
await server.stop();
