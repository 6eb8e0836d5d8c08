// A server in a process of its own, which can be killed. The argument is JSON: { environment, home }.
import { startTestServer } from '../server.ts';
import { CRASH_TOOLS } from './crash-tools.ts';

const { environment, home } = JSON.parse(process.argv[2] ?? '{}');
const server = await startTestServer(environment, home, undefined, CRASH_TOOLS);
process.stdout.write(`listens on ${server.url}\n`);
// Whoever has started it holds the other end: nobody is left behind.
process.stdin.resume().on('close', () => process.exit());
