import { join } from 'node:path';

/**
 * Where Node.js keeps what it has compiled, as `NODE_COMPILE_CACHE` of the programs that tests start: a start costs a
 * third less. What is kept there is used only if its source is still the same.
 */
export const COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/compile');
