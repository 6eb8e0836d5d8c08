import { sendJson } from '../client/client.ts';
import type { RunEvent } from '../client/run-events.ts';
import type { RunWithCalls } from '../client/types.ts';
import { readableText } from '../core/readable-text.ts';
import { outcome } from './chat-once.ts';
import { endLines, RunPrinter, saidText } from './chat-print.ts';
import { watchRun } from './chat-watch.ts';
import type { Connection } from './connect.ts';
import { EXIT } from './exit-codes.ts';
import { Editor } from './prompt-editor.ts';
import { Screen } from './prompt-screen.ts';
import { styleOf } from './style.ts';
import type { Terminal } from './terminal.ts';

/**
 * Shows a run from its start, live to its end. Ctrl+C ends the watching, not the run.
 * @returns what the program ends with: that of the run, as for one message.
 */
export async function watchCommand(
  terminal: Terminal,
  { server }: Connection,
  { runId, showsThinking }: { runId: string; showsThinking: boolean },
): Promise<number> {
  await sendJson<{ run: RunWithCalls }>(server, `/api/chat/runs/${encodeURIComponent(runId)}`);
  const screen = new Screen(terminal);
  const style = styleOf(terminal.error);
  const answerStyle = styleOf(terminal.output);
  const printer = new RunPrinter(screen, { style, answerStyle, showsThinking, showsSaid: true });
  const mayAsk = terminal.input.isTTY === true && terminal.error.isTTY === true;
  const editor = new Editor(terminal.input, screen, (text) => terminal.error.write(text));
  const program = terminal.config().client.editor;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave);
  try {
    const state = await watchRun({
      ...{ server, runId, printer, screen, style, signal: leaving.signal },
      asker: mayAsk ? { screen, editor, style, program } : undefined,
      ...{ onInterrupt: leave, onEnd: leave },
      onQuestion: (approval) => (approval ? editor.start() : editor.stop()),
      onEvents: (events) => showBeginning(events, (text) => screen.line(style.accent(text))),
    });
    for (const line of endLines(state, style)) screen.line(line);
    return leaving.signal.aborted ? EXIT.interrupted : outcome(state, screen);
  } finally {
    process.off('SIGINT', leave);
  }
}

function showBeginning(events: readonly RunEvent[], say: (text: string) => void): void {
  for (const event of events)
    if (event.type === 'user_message' && !event.data.steering) say(`> ${readableText(saidText(event.data.content))}`);
}
