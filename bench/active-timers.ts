import { createHook } from 'node:async_hooks';
import { renameSync, writeFileSync } from 'node:fs';

/**
 * Loaded into the measured server (`node --import`): counts its timers, those too that keep no process alive, which
 * `process.getActiveResourcesInfo` leaves out. On SIGUSR2 it writes their number to the file ACTIVE_TIMERS_FILE.
 */
const timers = new Set<number>();
createHook({
  trackPromises: false,
  init: (id, type) => {
    if (type === 'Timeout') timers.add(id);
  },
  destroy: (id) => {
    timers.delete(id);
  },
}).enable();

process.on('SIGUSR2', () => {
  const file = process.env.ACTIVE_TIMERS_FILE ?? '';
  writeFileSync(`${file}.new`, JSON.stringify(timers.size));
  renameSync(`${file}.new`, file);
});
