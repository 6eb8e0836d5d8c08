import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHistogram, monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks';

/**
 * Loaded into the measured server (`node --import`): notes how late its event loop comes round to a timer of 1 ms. On
 * SIGUSR2 it writes what it has noted since the last one to the file LOOP_DELAY_FILE and begins anew. Milliseconds.
 *
 * `late` is all of it. `own` leaves out the time in which the thread could have gone on but had to wait for a processor
 * that another thread or process had: the second number of schedstat, see proc(5) of Linux.
 */
const RESOLUTION_MS = 1;

const late = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
late.enable();

const own = createHistogram();
let before = performance.now();
let waitedBefore = waited();
setInterval(() => {
  const [now, waitedNow] = [performance.now(), waited()];
  const ms = now - before - (waitedNow - waitedBefore) - RESOLUTION_MS;
  own.record(Math.max(1, Math.round(ms * 1e6)));
  before = now;
  waitedBefore = waitedNow;
}, RESOLUTION_MS).unref();

/** How long this thread has waited for a processor, milliseconds. */
function waited(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;
}

process.on('SIGUSR2', () => {
  const file = process.env.LOOP_DELAY_FILE ?? '';
  writeFileSync(`${file}.new`, JSON.stringify({ late: summary(late, RESOLUTION_MS), own: summary(own, 0) }));
  renameSync(`${file}.new`, file);
  late.reset();
  own.reset();
});

function summary(histogram: Pick<RecordableHistogram, 'count' | 'max' | 'percentile'>, resolution: number): object {
  const ms = (ns: number): number => Math.max(0, ns / 1e6 - resolution);
  const [p50, p99] = [50, 99].map((part) => ms(histogram.percentile(part)));
  return { count: histogram.count, p50, p99, max: ms(histogram.max) };
}
