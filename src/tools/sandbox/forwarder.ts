/** Where the proxy is found inside, on a loopback interface that nobody else has. */
export const PROXY_PORT = 3128;

/**
 * A program for Node.js that runs inside: it passes connections to a port of loopback on to a socket, and runs the
 * command of its other arguments, with whose exit code it ends. As text, since what the server is bundled into is one
 * file; without imports of ours, since nothing of the server is there.
 * Arguments: the path of the socket, the program, its arguments.
 */
export const FORWARDER = `
const net = require('node:net');
const { spawn } = require('node:child_process');
const [socketPath, program, ...args] = process.argv.slice(1);
const server = net.createServer({ allowHalfOpen: true }, (inner) => {
  const outer = net.connect({ path: socketPath, allowHalfOpen: true });
  const end = () => { inner.destroy(); outer.destroy(); };
  inner.on('error', end).on('close', end);
  outer.on('error', end).on('close', end);
  inner.pipe(outer).pipe(inner);
});
server.listen(${PROXY_PORT}, '127.0.0.1', () => {
  const child = spawn(program, args, { stdio: 'inherit' });
  child.on('error', (error) => { console.error(error.message); process.exit(127); });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + require('node:os').constants.signals[signal]));
});
`;
