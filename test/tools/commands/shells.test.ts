import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/tools/policy/shell/command-line.ts';
import { testFolder } from '../rig.ts';
import { lines } from './random-lines.ts';
import { isAmong, layOut, runLine, SHELLS } from './shells.ts';

/** Most have a problem, and are not run. */
const RUNS = 600;

describe.runIf(SHELLS.length > 0)('what is read of random lines', () => {
  it.each(SHELLS)(
    'has all that $path starts as $argv0',
    (shell) => {
      const folder = testFolder();
      layOut(folder);
      let started = 0;
      const property = fc.property(lines, (line) => {
        const read = readCommandLine(line);
        if (read.problem !== undefined) return;
        for (const ran of runLine(folder, shell, line)) {
          started++;
          expect(isAmong(ran, read), `${JSON.stringify(line)} started ${JSON.stringify(ran)}`).toBe(true);
        }
      });
      fc.assert(property, { numRuns: RUNS });
      // Else nothing was looked at.
      expect(started).toBeGreaterThan(RUNS / 20);
    },
    60_000,
  );
});
