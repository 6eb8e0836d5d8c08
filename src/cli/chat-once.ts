import type { MessageContent, RunEvent } from '../client/run-events.ts';
import type { RunState } from '../client/run-state.ts';
import { readableText } from '../core/readable-text.ts';
import type { Asker } from './chat-approval.ts';
import { resultObject } from './chat-json.ts';
import { answerOf, endLines, RunPrinter } from './chat-print.ts';
import { type ChatSession, cancelRun } from './chat-session.ts';
import { watchRun } from './chat-watch.ts';
import { EXIT } from './exit-codes.ts';
import { plainJson } from './plain-json.ts';
import { Editor } from './prompt-editor.ts';
import { Screen } from './prompt-screen.ts';
import { styleOf } from './style.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** How one message is sent, and what is printed. */
export interface OnceOptions {
  content: MessageContent;
  showsThinking: boolean;
  /** `object`: one at the end; `events`: each as it comes, one a line. */
  json: 'object' | 'events' | undefined;
  /** The program to edit a text with. */
  editor: string | undefined;
  /** The input is still the person's. */
  mayAsk: boolean;
}

/**
 * Sends one message and prints its answer, to the standard output and nothing else there.
 * @returns what the program ends with: docs/cli.md.
 */
export async function chatOnce(terminal: Terminal, session: ChatSession, options: OnceOptions): Promise<number> {
  const { content, json, showsThinking } = options;
  const screen = new Screen(terminal);
  const style = styleOf(terminal.error);
  // What was written into a pipe cannot be taken back if the model has to begin anew.
  const keepsAnswer = json !== undefined || terminal.output.isTTY !== true;
  const printer = new RunPrinter(screen, { style, answerStyle: styleOf(terminal.output), showsThinking, keepsAnswer });
  const leaving = new AbortController();
  let runId: string | undefined;
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) terminal.exit(EXIT.interrupted);
    isInterrupted = true;
    if (runId === undefined) leaving.abort();
    else cancelRun(session.server, runId).catch(() => leaving.abort());
  };
  process.on('SIGINT', interrupt);
  try {
    runId = await session.send(content, leaving.signal);
    const asker = options.mayAsk && json === undefined ? makeAsker(terminal, screen, options.editor) : undefined;
    const onEvents = (events: readonly RunEvent[]): void => {
      if (json === 'events') for (const event of events) writeLine(terminal, plainJson(event));
    };
    const onQuestion = (approval: unknown): void => {
      if (approval) asker?.editor.start();
      else asker?.editor.stop();
    };
    const { server } = session;
    const { signal } = leaving;
    const hooks = { onEvents, onQuestion, onInterrupt: interrupt, onEnd: () => leaving.abort() };
    const state = await watchRun({ server, runId, printer, screen, style, asker, ...hooks, signal });
    if (json === 'object') writeLine(terminal, plainJson(resultObject(runId, session.conversation?.id ?? '', state)));
    else if (keepsAnswer && json === undefined && state.end?.type === 'complete') writeAnswer(terminal, state);
    for (const line of json === undefined ? endLines(state, style) : []) screen.line(line);
    return isInterrupted ? EXIT.interrupted : outcome(state, screen);
  } catch (error) {
    if (isInterrupted) return EXIT.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    printer.stop();
  }
}

function makeAsker(terminal: Terminal, screen: Screen, program: string | undefined): Asker {
  const editor = new Editor(terminal.input, screen, (text) => terminal.error.write(text));
  return { screen, editor, style: styleOf(terminal.error), program };
}

function writeAnswer(terminal: Terminal, state: RunState): void {
  const answer = readableText(answerOf(state));
  if (answer !== '') writeLine(terminal, answer.replace(/\n+$/, ''));
}

/** What the program ends with, and what to do about it if the run is not over. */
export function outcome(state: RunState, screen: Screen): number {
  const { end, approvals } = state;
  if (end) return end.type === 'complete' && end.data.stopReason === 'completed' ? EXIT.done : EXIT.failed;
  const open = approvals.filter(({ status }) => status === 'pending');
  for (const { id, display } of open) {
    screen.line(`This call needs an approval, and nobody can be asked here:\n${readableText(display)}`);
    screen.line(`  profclaw runs approve ${id}\n  profclaw runs deny ${id}`);
  }
  return EXIT.needsApproval;
}
