// A process of its own for the tests: waits for the given moment (milliseconds since 1970), then loads the key of a folder.
import { loadSecretKey } from '../../src/storage/secret-key.ts';

const [, , home = '', moment = '0'] = process.argv;
while (Date.now() < Number(moment)) {
  // Busy, so that all begin within the same millisecond.
}
process.stdout.write(loadSecretKey(home, undefined).toString('hex'));
