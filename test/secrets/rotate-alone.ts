// A process of its own for the tests of deaths: does what `profclaw secret rotate` does, without loading the server.
import { rotateKeyFile } from '../../src/storage/rotation.ts';
import { withDatabase } from '../kill/state.ts';

const { PROFCLAW_HOME: home = '', DATABASE_URL: databaseUrl } = process.env;
await withDatabase({ home, databaseUrl }, (db) => rotateKeyFile({ db, home }));
