import { guardedFetch } from '../../src/network/guarded-fetch.ts';

/** A process of its own: fetches what its argument says, and writes the body. */
const response = await guardedFetch({ hostRule: () => 'exact' })(process.argv[2] ?? '');
process.stdout.write(await response.text());
