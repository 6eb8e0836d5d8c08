import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testFolder } from '../../../test/tools/rig.ts';
import { type ReplaceBounds, type Replacement, replaceFile } from './replace-file.ts';
import { withPath } from './walk.ts';

const BESIDE = `.profclaw-${createHash('sha256').update('a.txt').digest('hex').slice(0, 16)}.tmp`;

function replaceIn(workspace: string, bounds?: ReplaceBounds, more: Partial<Replacement> = {}) {
  return withPath({ workspace, hidden: [] }, '.', ({ folder }) => {
    const { signal } = new AbortController();
    const content = Buffer.from('new');
    return replaceFile({ folder, name: 'a.txt', content, before: undefined, signal, ...more }, bounds);
  });
}

describe('replaceFile', () => {
  it('takes the place of what a crash has left', async () => {
    const workspace = testFolder();
    writeFileSync(join(workspace, BESIDE), 'half of');
    expect(await replaceIn(workspace, { waitMs: 20_000, staleMs: 50 })).toBe('replaced');
    expect(readdirSync(workspace)).toEqual(['a.txt']);
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('new');
  });

  it('waits for who is still writing, and not for ever', async () => {
    const workspace = testFolder();
    const file = join(workspace, BESIDE);
    writeFileSync(file, '');
    let seconds = 0;
    const timer = setInterval(() => utimesSync(file, ++seconds, seconds), 5);
    onTestFinished(() => clearInterval(timer));
    await expect(replaceIn(workspace, { waitMs: 400, staleMs: 200 })).rejects.toThrow(
      '"a.txt" is being written by somebody else; try again',
    );
    expect(readdirSync(workspace)).toEqual([BESIDE]);
  });

  it('writes nothing if somebody has taken it for dead meanwhile', async () => {
    const workspace = testFolder();
    const file = join(workspace, BESIDE);
    const isUnchanged = () => {
      rmSync(file);
      writeFileSync(file, 'of somebody else');
      return Promise.resolve(true);
    };
    await expect(replaceIn(workspace, undefined, { isUnchanged })).rejects.toThrow('try again');
    expect(readdirSync(workspace)).toEqual([BESIDE]);
    expect(readFileSync(file, 'utf8')).toBe('of somebody else');
  });

  it('leaves nothing if the file has changed, or the call was aborted', async () => {
    const workspace = testFolder();
    expect(await replaceIn(workspace, undefined, { isUnchanged: () => Promise.resolve(false) })).toBe('changed');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(replaceIn(workspace, undefined, { signal })).rejects.toThrow('enough');
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('waits for a lock no longer than until it is aborted', async () => {
    const workspace = testFolder();
    writeFileSync(join(workspace, BESIDE), '');
    const stopped = new AbortController();
    const waiting = replaceIn(workspace, { waitMs: 60_000, staleMs: 60_000 }, { signal: stopped.signal });
    stopped.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(readdirSync(workspace)).toEqual([BESIDE]);
  });

  it('says what is wrong where something else has the name beside', async () => {
    const workspace = testFolder();
    mkdirSync(join(workspace, BESIDE));
    await expect(replaceIn(workspace, { waitMs: 20_000, staleMs: 20 })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('cannot be reached: '),
    });
  });

  it('lets nobody else read a file while it is written that they may not read', async () => {
    const workspace = testFolder();
    const seen: number[] = [];
    const { getuid, getgid } = process;
    const before = {
      // Asked for when the content is there.
      get mode() {
        seen.push(statSync(join(workspace, BESIDE)).mode & 0o777);
        return 0o100640n;
      },
      uid: BigInt(getuid?.() ?? 0),
      gid: BigInt(getgid?.() ?? 0),
    };
    await replaceIn(workspace, undefined, { before });
    expect([...seen, statSync(join(workspace, 'a.txt')).mode & 0o777]).toEqual([0o600, 0o640]);
  });
});
