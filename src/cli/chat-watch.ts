import type { Server } from '../client/client.ts';
import { followRun } from '../client/follow-run.ts';
import type { RunEvent } from '../client/run-events.ts';
import type { RunState } from '../client/run-state.ts';
import type { Approval } from '../client/types.ts';
import { pause } from '../core/pause.ts';
import { type Asker, askApproval } from './chat-approval.ts';
import type { RunPrinter } from './chat-print.ts';
import { answerIfOpen } from './chat-session.ts';
import type { Screen } from './prompt-screen.ts';
import { onOneLine, type Style } from './style.ts';

/** How long an answer that was given before may take to come after its question, in milliseconds. */
const SETTLE_MS = 60;

/** How a run is followed. */
export interface WatchOptions {
  server: Server;
  runId: string;
  printer: RunPrinter;
  screen: Screen;
  style: Style;
  /** Who is asked about calls; undefined: nobody can be. */
  asker: Asker | undefined;
  /** Called with all events as they come. */
  onEvents?: (events: readonly RunEvent[]) => void;
  /** Called before somebody is asked, and with undefined when that is over. */
  onQuestion?: (approval: Approval | undefined) => Promise<void> | void;
  /** Ctrl+C where somebody was asked. */
  onInterrupt: () => Promise<void> | void;
  /** Ctrl+D there. */
  onEnd: (approval: Approval) => void;
  /** Stop watching; the run goes on. */
  signal: AbortSignal;
}

/**
 * Follows a run and shows it, until it ends, or until nothing goes on without an answer that nobody can give.
 * @returns what is known of it then.
 */
export async function watchRun(options: WatchOptions): Promise<RunState> {
  const { server, runId, printer, screen, style, asker } = options;
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  const questions = new Questions(options);
  const onLost = (why: Error | undefined): void =>
    screen.line(style.warn(why ? `${why.message}; it is tried again.` : 'The server is there again.'));
  let lost: Error | undefined;
  const sayOnce = (why: Error | undefined): void => {
    if (Boolean(why) !== Boolean(lost)) onLost(why);
    lost = why;
  };
  try {
    for await (const events of followRun(server, runId, 0, { signal, onLost: sayOnce })) {
      options.onEvents?.(events);
      printer.add(events);
      if (asker) questions.take(asker, printer.state);
      else if (printer.state.isWaiting) break;
    }
  } finally {
    leaving.abort();
    await questions.end();
    printer.stop();
  }
  return printer.state;
}

/** Asks about one call after the other, while the rest of the run is still followed. */
class Questions {
  readonly #options: WatchOptions;
  readonly #asked = new Set<string>();
  readonly #open = new Map<string, AbortController>();
  #line: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Asks what is to be asked, and takes back what somebody else has answered. */
  take(asker: Asker, { approvals, end }: RunState): void {
    for (const approval of approvals) {
      const isOpen = approval.status === 'pending' && !end;
      if (!isOpen) this.#open.get(approval.id)?.abort();
      if (!isOpen || this.#asked.has(approval.id)) continue;
      this.#asked.add(approval.id);
      const open = new AbortController();
      this.#open.set(approval.id, open);
      this.#line = this.#line.then(() => this.#ask(asker, approval, open.signal));
    }
  }

  /** Takes back what is open still. */
  async end(): Promise<void> {
    for (const open of this.#open.values()) open.abort();
    await this.#line;
  }

  async #ask(asker: Asker, approval: Approval, signal: AbortSignal): Promise<void> {
    // Of a run that is shown from its start, it may have been answered long ago.
    if (!(await pause(SETTLE_MS, signal))) return;
    const { server, screen, style, onQuestion, onInterrupt, onEnd } = this.#options;
    await onQuestion?.(approval);
    for (let isOpen = true; isOpen; ) {
      isOpen = false;
      try {
        const answer = await askApproval(asker, approval, signal);
        if (answer === 'interrupt') await onInterrupt();
        else if (answer === 'end') onEnd(approval);
        else if (answer === undefined) screen.line(style.dim('It was answered elsewhere, or is not asked any more.'));
        else if (!(await answerIfOpen(server, approval, answer)))
          screen.line(style.warn('It was answered before, elsewhere.'));
      } catch (error) {
        // Such as edited arguments that do not fit the tool: it is asked again.
        screen.line(style.bad(error instanceof Error ? onOneLine(error.message) : String(error)));
        isOpen = !signal.aborted;
      }
    }
    await onQuestion?.(undefined);
  }
}
