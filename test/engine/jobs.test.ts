import { BackendPostgres } from 'openworkflow/postgres';
import { BackendSqlite } from 'openworkflow/sqlite';
import { afterEach, expect, it, vi } from 'vitest';
import type { Job } from '../../src/agent/engine/engine.ts';
import { gate, newJob, onBothDatabases } from './rig.ts';

const HOUR_MS = 3_600_000;

// The backend of OpenWorkflow that is not in use is never called.
const BACKENDS = [BackendSqlite.prototype, BackendPostgres.prototype];

onBothDatabases((nodes, kind) => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('carries a job out once, however often it is asked to', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const job = newJob();
    expect(await Promise.all([engine.enqueue(job), engine.enqueue(job)])).toEqual(['pending', 'pending']);
    await vi.waitFor(() => expect(begun).toEqual([job]));
    expect(await engine.enqueue(job)).toBe('pending');
    open();
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    // A later one of the same run is another job.
    const next = { ...job, pass: 2 };
    expect(await engine.enqueue(next)).toBe('pending');
    await expect.poll(() => engine.enqueue(next)).toBe('over');
    expect(begun).toEqual([job, next]);
    expect(await nodes().rows(job)).toMatchObject([{ status: 'completed', attempts: 1 }]);
  });

  it('knows a job that has been under way for more than a day', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const job = newJob();
    await engine.enqueue(job);
    await vi.waitFor(() => expect(begun).toHaveLength(1));
    await nodes().query(
      `update workflow_runs set created_at = '2020-01-01T00:00:00.000Z' where idempotency_key = $1`,
      `update openworkflow.workflow_runs set created_at = '2020-01-01' where idempotency_key = $1`,
      [`${job.run}#1`],
    );
    expect(await engine.enqueue(job)).toBe('pending');
    expect(await nodes().rows(job)).toHaveLength(1);
    open();
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(begun).toEqual([job]);
  });

  it('forgets jobs a day after their end, and no others', async () => {
    const first = await nodes().node(() => Promise.resolve());
    const [old, recent] = [newJob(), newJob()];
    for (const job of [old, recent]) {
      await first.enqueue(job);
      await expect.poll(() => first.enqueue(job)).toBe('over');
    }
    await first.stop();
    const dead = await nodes().node();
    const waiting = newJob();
    await dead.enqueue(waiting);
    await nodes().query(
      `update workflow_runs set created_at = '2020-01-01T00:00:00.000Z', finished_at = iif(status = 'completed',
       '2020-01-01T00:00:00.000Z', null) where idempotency_key in ($1, $2)`,
      `update openworkflow.workflow_runs set created_at = '2020-01-01', finished_at = case when status = 'completed'
       then '2020-01-01'::timestamptz end where idempotency_key in ($1, $2)`,
      [`${old.run}#1`, `${waiting.run}#1`],
    );
    const { work, begun, open } = gate();
    await nodes().node(work);
    await vi.waitFor(async () => expect(await nodes().rows(old)).toEqual([]));
    expect(await nodes().rows(recent)).toMatchObject([{ status: 'completed' }]);
    await vi.waitFor(() => expect(begun).toEqual([waiting]));
    open();
  });

  it('has nodes share the jobs, and each done once', async () => {
    const [one, two] = [gate(), gate()];
    const first = await nodes().node(one.work, { concurrency: 2 });
    await nodes().node(two.work, { concurrency: 2 });
    const jobs = Array.from({ length: 40 }, () => newJob());
    for (const job of jobs) await first.enqueue(job);
    await vi.waitFor(() => expect([one.begun.length, two.begun.length]).toEqual([2, 2]));
    one.open();
    two.open();
    await vi.waitFor(() => expect(one.begun.length + two.begun.length).toBe(40), 20_000);
    expect(new Set([...one.begun, ...two.begun].map(({ run }) => run))).toEqual(new Set(jobs.map(({ run }) => run)));
    for (const job of jobs) await expect.poll(() => first.enqueue(job)).toBe('over');
  });

  it('has 300 jobs under way at once', async () => {
    const { work, begun, open } = gate();
    const engine = await nodes().node(work);
    const jobs = Array.from({ length: 300 }, () => newJob());
    await Promise.all(jobs.map((job) => engine.enqueue(job)));
    await vi.waitFor(() => expect(begun).toHaveLength(300), 20_000);
    open();
    for (const job of jobs) await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(begun).toHaveLength(300);
  });

  it('takes the next job as soon as there is room', async () => {
    let most = 0;
    let now = 0;
    const work = async (): Promise<void> => {
      now++;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    // Without ever looking by itself.
    const engine = await nodes().node(work, { concurrency: 2, fallbackMs: HOUR_MS });
    const jobs = Array.from({ length: 20 }, () => newJob());
    await Promise.all(jobs.map((job) => engine.enqueue(job)));
    await vi.waitFor(async () => {
      const states = await Promise.all(jobs.map((job) => nodes().rows(job)));
      expect(states.flat().filter(({ status }) => status === 'completed')).toHaveLength(20);
    }, 20_000);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('wakes the node that has the room', async () => {
    const { work, begun, open } = gate();
    open();
    const asking = await nodes().node();
    await nodes().node(work, { fallbackMs: HOUR_MS });
    const jobs = Array.from({ length: 20 }, () => newJob());
    for (const job of jobs) {
      await asking.enqueue(job);
      // One at a time, so that none can be found with another one's wake.
      await vi.waitFor(() => expect(begun).toContainEqual(job), 20_000);
    }
  });

  it('looks by itself when no wake comes', async () => {
    const { work, begun, open } = gate();
    open();
    const deaf = { wake: () => {}, subscribe: () => () => {}, close: () => Promise.resolve() };
    const engine = await nodes().node(work, { waker: deaf });
    const job = newJob();
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(begun).toEqual([job]);
  });

  it('tries a job again whose work rejects, and tells nobody but the log why', async () => {
    const tried: Job[] = [];
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const engine = await nodes().node((job) => {
      tried.push(job);
      return tried.length < 3 ? Promise.reject(new Error('the key is sk-secret')) : Promise.resolve();
    });
    const job = newJob();
    await engine.enqueue(job);
    await vi.waitFor(async () => {
      const [row] = await nodes().rows(job);
      expect(row).toMatchObject({ status: 'pending', worker_id: null });
      expect(JSON.stringify(row?.error)).toContain('the job failed');
      expect(JSON.stringify(row)).not.toContain('sk-secret');
    });
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(tried).toEqual([job, job, job]);
    expect(nodes().logged.filter((line) => line.includes('sk-secret'))).toHaveLength(2);
    expect(printed).not.toHaveBeenCalled();
  });

  it('does a job again whose end could not be noted, and prints nothing', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    for (const backend of BACKENDS) {
      vi.spyOn(backend, 'completeWorkflowRun').mockRejectedValueOnce(new Error('the database is away'));
    }
    const { work, begun, open } = gate();
    open();
    const engine = await nodes().node(work, { leaseMs: 1000 });
    const job = newJob();
    await engine.enqueue(job);
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(begun).toEqual([job, job]);
    expect(nodes().logged.some((line) => line.includes('the database is away'))).toBe(true);
    expect(printed).not.toHaveBeenCalled();
  });

  it('goes on after a claim that failed', async () => {
    for (const backend of BACKENDS) {
      vi.spyOn(backend, 'claimWorkflowRun').mockRejectedValueOnce(new Error('the database is away'));
    }
    const { work, begun, open } = gate();
    open();
    const engine = await nodes().node(work);
    const job = newJob();
    await expect.poll(() => engine.enqueue(job)).toBe('over');
    expect(begun).toEqual([job]);
    const said = nodes().logged.filter((line) => line.includes('jobs can'));
    expect(said.map((line) => JSON.parse(line).msg)).toEqual([
      'jobs cannot be looked for',
      'jobs can be looked for again',
    ]);
  });

  it('asks once when there is nothing to do, however much room there is', async () => {
    const claims = vi.spyOn((kind === 'sqlite' ? BackendSqlite : BackendPostgres).prototype, 'claimWorkflowRun');
    const { work, begun, open } = gate();
    const engine = await nodes().node(work, { fallbackMs: HOUR_MS });
    // The look that the start brings.
    await vi.waitFor(() => expect(claims.mock.settledResults).toMatchObject([{ type: 'fulfilled', value: null }]));
    const job = newJob();
    await engine.enqueue(job);
    // One that finds it, and one that finds nothing.
    await vi.waitFor(() => expect(claims.mock.settledResults).toHaveLength(3));
    expect(claims.mock.settledResults.at(-1)).toEqual({ type: 'fulfilled', value: null });
    open();
    await vi.waitFor(async () => expect(await nodes().rows(job)).toMatchObject([{ status: 'completed' }]));
    expect([begun, claims.mock.calls.length]).toEqual([[job], 3]);
  });
});
