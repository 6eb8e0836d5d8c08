import { expect, it, vi } from 'vitest';
import { gate, newJob, onBothDatabases } from './rig.ts';

const LEASE_MS = 1000;
/** Where nobody dies: a busy machine must not be taken for a dead node. */
const LONGER_LEASE_MS = 2000;

onBothDatabases((nodes, kind) => {
  it('takes over the job of a node that was killed', async () => {
    const child = await nodes().child({ leaseMs: LEASE_MS });
    const asking = await nodes().node();
    const job = newJob();
    await asking.enqueue(job);
    await child.said(`began ${job.run}`);
    const { work, begun, open } = gate();
    await nodes().node(work, { leaseMs: LEASE_MS });
    child.signal('SIGKILL');
    await vi.waitFor(() => expect(begun).toEqual([job]), 20_000);
    open();
    await expect.poll(() => asking.enqueue(job)).toBe('over');
  });

  it('takes over the job of a node that is frozen, whose end then counts for nothing', async () => {
    const child = await nodes().child({ leaseMs: LEASE_MS });
    const asking = await nodes().node();
    const job = newJob();
    await asking.enqueue(job);
    await child.said(`began ${job.run}`);
    const { work, begun, open } = gate();
    await nodes().node(work, { leaseMs: LEASE_MS });
    child.signal('SIGSTOP');
    await vi.waitFor(() => expect(begun).toEqual([job]), 20_000);
    child.signal('SIGCONT');
    child.tell('go');
    child.tell('stop');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toBe(`ready\nbegan ${job.run} 1\ndid ${job.run} 1\nstopped\n`);
    expect(child.stderr()).toBe('');
    expect(await asking.enqueue(job)).toBe('pending');
    expect(await nodes().rows(job)).toMatchObject([{ status: 'running' }]);
    open();
    await expect.poll(() => asking.enqueue(job)).toBe('over');
    expect(begun).toEqual([job]);
  });

  it('keeps a job for longer than a lease', async () => {
    const [one, two] = [gate(), gate()];
    // It renews by its heartbeat alone: looking for jobs would do so, too.
    const first = await nodes().node(one.work, { leaseMs: LONGER_LEASE_MS, fallbackMs: 3_600_000 });
    const jobs = Array.from({ length: 5 }, () => newJob());
    for (const job of jobs) await first.enqueue(job);
    await vi.waitFor(() => expect(one.begun).toHaveLength(5));
    await nodes().node(two.work, { leaseMs: LONGER_LEASE_MS });
    const until = Date.now() + 2.5 * LONGER_LEASE_MS;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), { timeout: 20_000, interval: 100 });
    for (const job of jobs) expect(await nodes().rows(job)).toMatchObject([{ status: 'running', attempts: 1 }]);
    one.open();
    for (const job of jobs) await expect.poll(() => first.enqueue(job)).toBe('over');
    expect([one.begun.length, two.begun.length]).toEqual([5, 0]);
  });

  it('has leases of four seconds, from the claim on and at each beat', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const job = newJob();
    await engine.enqueue(job);
    await vi.waitFor(() => expect(begun).toEqual([job]));
    const left: number[] = [];
    const wasRenewed = (): boolean => left.some((ms, at) => at > 0 && ms > (left[at - 1] ?? 0));
    await vi.waitFor(async () => {
      const [row] = await nodes().rows(job);
      left.push(row?.leftMs ?? 0);
      expect(wasRenewed()).toBe(true);
    }, 20_000);
    expect(Math.max(...left)).toBeLessThanOrEqual(4000);
    open();
  });

  it('goes on with its own jobs after it was frozen, if nobody else has taken them', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work, { leaseMs: LEASE_MS });
    const job = newJob();
    await engine.enqueue(job);
    await vi.waitFor(() => expect(begun).toEqual([job]));
    const until = Date.now() + 2 * LEASE_MS;
    while (Date.now() < until) {
      // As a laptop that sleeps: no timer runs, but the time goes on.
    }
    // Looks for jobs before any timer has had its turn.
    const next = newJob();
    await engine.enqueue(next);
    await vi.waitFor(() => expect(begun).toContainEqual(next));
    open();
    for (const each of [job, next]) await expect.poll(() => engine.enqueue(each)).toBe('over');
    expect(begun).toEqual([job, next]);
  });

  it.runIf(kind === 'postgres')('keeps a job while its connections are busy with storing others', async () => {
    const [one, two] = [gate(), gate()];
    const first = await nodes().node(one.work, { leaseMs: LONGER_LEASE_MS });
    const job = newJob();
    await first.enqueue(job);
    await vi.waitFor(() => expect(one.begun).toEqual([job]));
    const others = Array.from({ length: 10 }, () => newJob());
    const release = await nodes().holdUp(others);
    const storing = others.map((other) => first.enqueue(other));
    await nodes().node(two.work, { leaseMs: LONGER_LEASE_MS });
    const until = Date.now() + 2.5 * LONGER_LEASE_MS;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), { timeout: 20_000, interval: 100 });
    expect(await nodes().rows(job)).toMatchObject([{ status: 'running', attempts: 1 }]);
    await release();
    one.open();
    two.open();
    await Promise.all(storing);
    for (const each of [job, ...others]) await expect.poll(() => first.enqueue(each)).toBe('over');
  });

  it.runIf(kind === 'postgres')('goes on when its connections are lost', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const [job, next] = [newJob(), newJob()];
    await engine.enqueue(job);
    await vi.waitFor(() => expect(begun).toEqual([job]));
    await nodes().endConnections();
    open();
    await expect.poll(() => engine.enqueue(job).catch(String)).toBe('over');
    await expect.poll(() => engine.enqueue(next).catch(String)).toBe('over');
    expect(begun).toEqual([job, next]);
  });
});
