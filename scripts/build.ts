import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'rolldown';
import { buildClient } from './build-client.ts';
import { buildPage } from './build-page.ts';
import { licences } from './licences.ts';

const FOLDER = process.argv[2] ?? 'dist';

const UNDICI = `
  export { default as Agent } from 'undici/lib/dispatcher/agent.js';
  export { default as buildConnector } from 'undici/lib/core/connect.js';
  export { fetch } from 'undici/lib/web/fetch/index.js';
`;

/** Of undici only these are used; its index would bring WebSocket, caches and mocks along: 0.5 MB. */
const undiciInPart: Plugin = {
  name: 'undici-in-part',
  resolveId: (id) => (id === 'undici' ? '\0undici' : null),
  load: (id) => (id === '\0undici' ? UNDICI : null),
};

/** An older Node.js cannot even load the rest, and would print it. */
const ENTRY = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write('profclaw: needs Node.js 24.15 or newer; this is ' + process.versions.node + '\\n');
  process.exit(1);
}
await import('./program.js');
`;

/**
 * Bundles the server into `dist/`, or the folder that the command line names. One tree-shaken file starts three times faster than the module graph
 * and keeps the idle process about 30 MB smaller; what is imported lazily (PostgreSQL, prices) stays apart.
 * Without comments and white space the source that V8 keeps is half as large; names stay for the stack traces.
 */
await build({
  input: { program: 'src/main.ts' },
  platform: 'node',
  plugins: [undiciInPart, licences()],
  output: {
    dir: FOLDER,
    format: 'esm',
    cleanDir: true,
    sourcemap: false,
    entryFileNames: '[name].js',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  },
  logLevel: 'warn',
});

writeFileSync(join(FOLDER, 'main.js'), ENTRY);
// A link to it is made once, when the package is first run by its name.
chmodSync(join(FOLDER, 'main.js'), 0o755);

await buildClient(FOLDER);
await buildPage(join(FOLDER, 'web'));
