import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, describeExceeded, describeExit, type ExceededLimit } from './limits.ts';

describe('what is said of a limit', () => {
  it.each<[ExceededLimit, string]>([
    ['memory', 'it used more than 2 GiB of memory'],
    ['tasks', 'it had more than 512 processes and threads at a time'],
    ['cpuSeconds', 'it used a processor for more than 600 s'],
    ['output', 'it wrote more than 64 MiB to its output'],
    ['freeDisk', 'it left too little free space on the disk of the workspace'],
  ])('%s', (limit, text) => {
    expect(describeExceeded(limit, DEFAULT_LIMITS)).toBe(text);
  });

  it('has sizes as people read them', () => {
    const memory = (bytes: number) => describeExceeded('memory', { ...DEFAULT_LIMITS, memory: bytes });
    expect(memory(100)).toContain('100 bytes');
    expect(memory(1536)).toContain('1.5 KiB');
    expect(memory(200 * 1024 ** 2)).toContain('200 MiB');
  });

  it('that only an exit code tells of', () => {
    expect(describeExit(153, DEFAULT_LIMITS)).toBe('a file may have 1 GiB at most');
    expect(describeExit(1, DEFAULT_LIMITS)).toBeUndefined();
  });
});
