import { type Command, Option } from 'commander';
import type { ApprovalAnswer } from '../client/answer-approval.ts';
import { sendJson } from '../client/client.ts';
import type { Approval, Run, RunWithCalls } from '../client/types.ts';
import { forPerson } from './chat-error.ts';
import { type Connection, connect } from './connect.ts';
import { CommandError, EXIT, endWith } from './exit-codes.ts';
import { wholeNumber } from './number-argument.ts';
import type { Terminal } from './terminal.ts';

const STATUSES = ['queued', 'running', 'waiting_approval', 'completed', 'failed', 'cancelled'];
const SERVER = ['--server <url>', 'which server; absent: as for profclaw chat'] as const;

interface Options {
  server?: string;
  json?: true;
}

/** `profclaw runs …` */
export function addRuns(program: Command, terminal: Terminal): void {
  const runs = program
    .command('runs')
    .description('runs of models with tools: list, watch, stop, allow and refuse calls');
  runs
    .command('list', { isDefault: true })
    .description('the newest runs (what it does without a command, too)')
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
    .option('--limit <n>', 'how many, at most 100', wholeNumber(1, 100), 20)
    .option('--json', 'as JSON')
    .option(...SERVER)
    .action((options: Options & { status?: string; limit: number }) =>
      connected(terminal, options, async ({ server }) => {
        const { status, limit } = options;
        const { runs: list } = await sendJson<{ runs: Run[] }>(server, '/api/chat/runs', { query: { status, limit } });
        await (await import('./runs-list.ts')).writeRuns(terminal, list, options.json);
        return EXIT.done;
      }),
    );
  runs
    .command('show <id>')
    .description('how a run went: its calls, its approvals, its end')
    .option('--json', 'as JSON')
    .option(...SERVER)
    .action((id: string, options: Options) =>
      connected(terminal, options, async ({ server }) => {
        const { run } = await sendJson<{ run: RunWithCalls }>(server, pathOf(id));
        await (await import('./runs-list.ts')).writeRun(terminal, run, options.json);
        return EXIT.done;
      }),
    );
  runs
    .command('watch <id>')
    .description('show a run from its start, live to its end; at a terminal its calls can be allowed and refused')
    .option('--thinking', 'show what the model thinks')
    .option(...SERVER)
    .action((id: string, options: Options & { thinking?: true }) =>
      connected(terminal, options, async (connection) => {
        const { watchCommand } = await import('./runs-watch.ts');
        return await watchCommand(terminal, connection, { runId: id, showsThinking: options.thinking ?? false });
      }),
    );
  runs
    .command('cancel <id>')
    .description('stop a run: its model, its tools and all their processes')
    .option(...SERVER)
    .action((id: string, options: Options) =>
      connected(terminal, options, async ({ server }) => {
        await sendJson(server, `${pathOf(id)}/cancel`, { method: 'POST', body: {} });
        terminal.error.write('Cancelled.\n');
        return EXIT.done;
      }),
    );
  addAnswers(runs, terminal);
}

function addAnswers(runs: Command, terminal: Terminal): void {
  const approve = runs
    .command('approve <approval>')
    .description('allow the call that an approval is about, once')
    .option('--always', 'from now on this call, with these arguments, in this conversation')
    .option('--everywhere', 'with --always: in all conversations')
    .option(...SERVER)
    .action((id: string, options: Options & { always?: true; everywhere?: true }) => {
      if (options.everywhere && !options.always) approve.error('error: --everywhere goes with --always');
      const decision = options.always ? 'allow-always' : 'allow-once';
      return answer(terminal, id, options, { decision, ...(options.everywhere ? { scope: 'user' } : {}) });
    });
  runs
    .command('deny <approval>')
    .description('refuse the call that an approval is about')
    .option('--reason <text>', 'the model reads it')
    .option(...SERVER)
    .action((id: string, options: Options & { reason?: string }) => {
      const { reason } = options;
      return answer(terminal, id, options, { decision: 'deny', ...(reason === undefined ? {} : { reason }) });
    });
}

/** Answers an approval. With a server of its own the command stays until the run has ended or asks again. */
function answer(terminal: Terminal, id: string, options: Options, reply: ApprovalAnswer): Promise<void> {
  return connected(terminal, options, async (connection) => {
    const approval = await findApproval(connection, id);
    const { answerIfOpen } = await import('./chat-session.ts');
    if (!(await answerIfOpen(connection.server, approval, reply)))
      throw new CommandError(`The approval ${id} is not open any more.`);
    terminal.error.write(reply.decision === 'deny' ? 'Refused.\n' : 'Allowed.\n');
    if (!connection.isOwn) return EXIT.done;
    const { watchCommand } = await import('./runs-watch.ts');
    return await watchCommand(terminal, connection, { runId: approval.runId, showsThinking: false });
  });
}

async function findApproval({ server }: Connection, id: string): Promise<Approval> {
  let cursor: string | undefined;
  do {
    const query = { status: 'pending', limit: 100, cursor };
    const page = await sendJson<{ approvals: Approval[]; nextCursor: string | null }>(server, '/api/chat/approvals', {
      query,
    });
    const found = page.approvals.find((one) => one.id === id);
    if (found) return found;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  throw new CommandError(`There is no open approval ${id}; profclaw runs --status waiting_approval lists what waits.`);
}

function pathOf(id: string): string {
  return `/api/chat/runs/${encodeURIComponent(id)}`;
}

function connected(
  terminal: Terminal,
  options: Options,
  work: (connection: Connection) => Promise<number>,
): Promise<void> {
  return endWith(terminal, async () => {
    const connection = await connect(terminal, options);
    try {
      return await work(connection);
    } catch (error) {
      throw forPerson(error);
    } finally {
      await connection.close();
    }
  });
}
