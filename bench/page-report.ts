import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Frames } from './page-frames.ts';
import { median } from './report.ts';

/** Everything that was measured. */
export interface PageResults {
  bytes: Map<string, number>;
  readyMs: number[];
  blankMs: number[];
  /** What a page drops in which nothing happens. */
  still: Frames;
  streaming: Frames;
  deltas: number;
  scrolling: Frames;
  messages: number;
  /** Elements in the page while it is scrolled. */
  elements: number;
}

/** Says what was measured, and writes it to PAGE.md. False if a target was missed. */
export function report(results: PageResults): boolean {
  const { bytes, readyMs, blankMs, still, streaming, deltas, scrolling, messages, elements } = results;
  const total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  const ready = median(readyMs);
  const rows: [string, string, string, boolean | undefined][] = [
    ['First load, all files, compressed', '< 300 KB', `**${kb(total)}** in ${bytes.size} requests`, total < 300_000],
    [
      `Navigation to a composer that takes text, median of ${readyMs.length}`,
      '< 1 s',
      `**${ready.toFixed(0)} ms** (a blank page: ${median(blankMs).toFixed(0)} ms)`,
      ready < 1000,
    ],
    ['Frames dropped by a page at rest', 'none', framesOf(still), undefined],
    [
      `Frames dropped while ${Math.round(deltas / streaming.seconds)} deltas a second stream`,
      '<= 5 %',
      framesOf(streaming),
      streaming.dropped <= 0.05,
    ],
    [
      `Frames dropped while scrolling through ${messages.toLocaleString('en')} messages`,
      'none',
      `${framesOf(scrolling)}; ${elements.toLocaleString('en')} elements`,
      undefined,
    ],
  ];
  const text = `# The page

- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, node ${process.version}, headless Chromium without a GPU
- ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB; load when it ended: ${loadavg()[0]?.toFixed(1)}
- To repeat: \`npm run bench:page\`. Server, provider and browser share the cores.

| What | Target | Measured | |
| --- | --- | --- | --- |
${rows.map(([what, target, measured, isFine]) => `| ${what} | ${target} | ${measured} | ${verdict(isFine)} |`).join('\n')}

A frame is dropped if it does not come within a sixtieth of a second after the one before. The largest files of the first
load:

${[...bytes]
  .toSorted((a, b) => b[1] - a[1])
  .slice(0, 6)
  .map(([name, size]) => `- \`${name}\`: ${kb(size)}`)
  .join('\n')}
`;
  writeFileSync(join(import.meta.dirname, 'PAGE.md'), text);
  console.log(text);
  return rows.every(([, , , isFine]) => isFine !== false);
}

function framesOf({ dropped, p50, p99, longest, longTasks, longTaskMs }: Frames): string {
  const share = (dropped * 100).toFixed(1);
  return `**${share} %** (p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, longest ${longest.toFixed(0)} ms; ${longTasks} long tasks, ${longTaskMs.toFixed(0)} ms)`;
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

function verdict(isFine: boolean | undefined): string {
  if (isFine === undefined) return '';
  return isFine ? 'pass' : '**miss**';
}
