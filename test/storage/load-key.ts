// A process of its own for the tests: says that it is ready, waits for a file, then loads the keys of some folders.
import { existsSync } from 'node:fs';
import { loadSecretKey } from '../../src/storage/secret-key.ts';

const [, , gate = '', ...homes] = process.argv;
process.stderr.write('ready\n');
while (!existsSync(gate)) {
  // Busy, so that all begin at the same moment.
}
process.stdout.write(homes.map((home) => loadSecretKey(home, undefined).toString('hex')).join('\n'));
