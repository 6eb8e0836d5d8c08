import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { gate, newJob, onBothDatabases } from './rig.ts';

onBothDatabases((nodes, kind) => {
  it('waits for work under way, and takes nothing more', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const other = await nodes().node();
    const [job, later] = [newJob(), newJob()];
    await engine.enqueue(job);
    await vi.waitFor(() => expect(begun).toEqual([job]));
    let isStopped = false;
    const stopping = engine.stop().then(() => {
      isStopped = true;
    });
    expect(await other.enqueue(later)).toBe('pending');
    await expect(engine.enqueue(newJob())).rejects.toMatchObject({ code: 'shutting_down' });
    // Longer than between looks.
    await sleep(700);
    expect([isStopped, begun]).toEqual([false, [job]]);
    open();
    await stopping;
    await engine.stop();
    expect(await other.enqueue(job)).toBe('over');
    expect(await nodes().rows(later)).toMatchObject([{ status: 'pending', attempts: 0 }]);
    const next = gate();
    next.open();
    await nodes().node(next.work);
    await expect.poll(() => other.enqueue(later)).toBe('over');
    expect([begun, next.begun]).toEqual([[job], [later]]);
  });

  it('hands back what a claim under way brings', async () => {
    const { work, begun, open } = gate();
    open();
    const asking = await nodes().node();
    const jobs = Array.from({ length: 30 }, () => newJob());
    for (const job of jobs) await asking.enqueue(job);
    const engine = await nodes().node(work, { leaseMs: 3_600_000 });
    await engine.stop();
    const before = begun.length;
    // On SQLite a claim is never under way for long.
    if (kind === 'postgres') expect(before).toBe(0);
    const next = gate();
    next.open();
    await nodes().node(next.work);
    // None waits for the end of its lease.
    for (const job of jobs) await expect.poll(() => asking.enqueue(job)).toBe('over');
    expect(before + next.begun.length).toBe(30);
  });

  it('leaves nothing that keeps the process', async () => {
    const child = await nodes().child();
    const job = newJob();
    const asking = await nodes().node();
    await asking.enqueue(job);
    await child.said(`began ${job.run}`);
    child.tell('go');
    child.tell('stop');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toBe(`ready\nbegan ${job.run} 1\ndid ${job.run} 1\nstopped\n`);
    expect(child.stderr()).toBe('');
    expect(await asking.enqueue(job)).toBe('over');
  });

  it('may be stopped without a start', async () => {
    const engine = await nodes().node();
    await engine.stop();
    expect(() => engine.start(() => Promise.resolve())).toThrow('started or stopped');
  });
});
