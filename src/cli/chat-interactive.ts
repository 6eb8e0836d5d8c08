import { RequestError } from '../client/client.ts';
import type { MessageContent } from '../client/run-events.ts';
import type { Message } from '../client/types.ts';
import { readableText } from '../core/readable-text.ts';
import type { Asker } from './chat-approval.ts';
import { canBeSent, withFiles } from './chat-attachments.ts';
import { type CommandContext, completions, isOrder, obey } from './chat-commands.ts';
import { inCommands } from './chat-error.ts';
import type { InputHistory } from './chat-history.ts';
import { endLines, RunPrinter, saidText } from './chat-print.ts';
import { type ChatSession, cancelRun, steerRun } from './chat-session.ts';
import { watchRun } from './chat-watch.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { Editor, type Reply } from './prompt-editor.ts';
import { Screen } from './prompt-screen.ts';
import { onOneLine, type Style, styleOf } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Messages that are shown when a conversation is opened again. */
const SHOWN_AGAIN = 6;
const PROMPT = '> ';
const STEERING = '» ';

/** What a conversation at the terminal begins with. */
export interface InteractiveOptions {
  showsThinking: boolean;
  /** The program to edit a text with. */
  editor: string | undefined;
  history: InputHistory;
  files: string[];
  /** The server ends with this program. */
  isOwnServer: boolean;
  /** Said at first. */
  banner: string;
  /** Of the conversation to go on with; null: the newest; undefined: a new one. */
  resume: string | null | undefined;
}

/** A conversation at the terminal, until the person leaves. */
export class InteractiveChat {
  readonly #session: ChatSession;
  readonly #options: InteractiveOptions;
  readonly #screen: Screen;
  readonly #editor: Editor;
  readonly #style: Style;
  readonly #answerStyle: Style;
  readonly #asker: Asker;
  readonly #commands: CommandContext;
  /** Typed, but not sent yet. */
  #draft = '';
  /** Lines that are for after the run: orders, and what came too late for it. */
  #queue: string[] = [];
  /** Ctrl+C was the last that was pressed. */
  #isLeaving = false;
  #hasLeft = false;

  constructor(terminal: Terminal, session: ChatSession, options: InteractiveOptions) {
    this.#session = session;
    this.#options = options;
    this.#screen = new Screen(terminal);
    this.#editor = new Editor(terminal.input, this.#screen, (text) => terminal.error.write(text));
    this.#style = styleOf(terminal.error);
    this.#answerStyle = styleOf(terminal.output);
    this.#asker = { screen: this.#screen, editor: this.#editor, style: this.#style, program: options.editor };
    this.#commands = {
      session,
      say: (text) => this.#screen.line(this.#style.dim(text)),
      resume: (id) => this.#resume(id),
      showsThinking: options.showsThinking,
      files: options.files,
      columns: () => this.#screen.columns,
    };
  }

  /** @returns what the program ends with. */
  async run(): Promise<number> {
    const stop = (): void => this.#editor.stop();
    process.once('exit', stop);
    this.#editor.start();
    try {
      this.#screen.line(this.#style.dim(this.#options.banner));
      const { resume } = this.#options;
      if (resume !== undefined) await this.#resume(resume ?? undefined);
      while (!this.#hasLeft) await this.#turn();
    } finally {
      stop();
      process.off('exit', stop);
    }
    const { conversation } = this.#session;
    if (conversation) this.#screen.line(this.#style.dim(`To go on: profclaw chat --resume ${conversation.id}`));
    return EXIT.done;
  }

  /** One line of the person's, and what follows from it. */
  async #turn(): Promise<void> {
    const queued = this.#queue.shift();
    if (queued !== undefined) {
      this.#screen.line(this.#style.accent(PROMPT + readableText(queued)));
      await this.#take(queued);
      return;
    }
    const { history } = this.#options;
    const reply = await this.#editor.read({
      label: PROMPT,
      paint: this.#style.accent,
      initial: this.#draft,
      history: history.lines,
      complete: completions,
    });
    this.#draft = '';
    if (reply.type !== 'line') {
      this.#leaveMaybe(reply);
      return;
    }
    this.#isLeaving = false;
    if (reply.text.trim() === '') return;
    history.add(reply.text);
    await this.#take(reply.text);
  }

  /** Does what a line says, or sends it. */
  async #take(line: string): Promise<void> {
    await this.#attempt(async () => {
      const what = await obey(this.#commands, line);
      if (what === 'quit') this.#hasLeft = true;
      else if (what === 'message') await this.#send(line.replace(/^ (?=\/)/, ''));
    });
  }

  #leaveMaybe({ type }: Reply): void {
    if (type === 'end' || this.#isLeaving) this.#hasLeft = true;
    else this.#screen.line(this.#style.dim('Ctrl+C again leaves; so do Ctrl+D and /quit.'));
    this.#isLeaving = true;
  }

  /** Says what goes wrong, and goes on. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof CommandError)) throw error;
      this.#screen.line(this.#style.bad(onOneLine(inCommands(error.message))));
      if (error instanceof RequestError && typeof error.details.hint === 'string')
        this.#screen.line(this.#style.dim(onOneLine(inCommands(error.details.hint))));
    }
  }

  async #resume(id: string | undefined): Promise<void> {
    const messages = await this.#session.open(id, SHOWN_AGAIN);
    const { title = '' } = this.#session.conversation ?? {};
    this.#screen.line(this.#style.bold(onOneLine(title) || '(no title)'));
    const active = await this.#session.activeRun();
    for (const message of messages) if (!active || message.status !== 'running') this.#showAgain(message);
    if (active) await this.#follow(active.id, true);
  }

  #showAgain({ role, content, toolCalls, status }: Message): void {
    const text = readableText(saidText(content)).trimEnd();
    if (role === 'user')
      this.#screen.line(this.#style.accent(PROMPT + text) + (status === 'failed' ? this.#style.bad(' (failed)') : ''));
    else if (text !== '') this.#screen.line(text);
    const names = toolCalls.map(({ name }) => onOneLine(name)).join(', ');
    if (names !== '') this.#screen.line(this.#style.dim(`  (${names})`));
  }

  async #send(text: string): Promise<void> {
    // It must not be typed again if it cannot be sent.
    this.#draft = text;
    const content = this.#withFiles(text);
    const files = this.#commands.files.splice(0);
    this.#draft = '';
    const leaving = new AbortController();
    const listening = new Listening((signal) => this.#listen(undefined, leaving, signal));
    let runId: string;
    try {
      runId = await this.#session.send(content, leaving.signal);
    } catch (error) {
      this.#commands.files.unshift(...files);
      if (leaving.signal.aborted) return;
      if (this.#draft === '') this.#draft = text;
      throw error;
    } finally {
      await listening.pause();
    }
    await this.#follow(runId, false);
  }

  /** The message with its files; those that cannot be read are left out of the next try. @throws CommandError */
  #withFiles(text: string): MessageContent {
    const { files, say } = this.#commands;
    try {
      return withFiles(text, files);
    } catch (error) {
      files.splice(0, files.length, ...files.filter(canBeSent));
      const rest = files.length === 0 ? 'no file' : files.map(onOneLine).join(', ');
      say(`Nothing was sent. The message is at the prompt again, with ${rest}.`);
      throw error;
    }
  }

  /** Shows a run to its end, while the person may say something to it, stop it, or leave. */
  async #follow(runId: string, isOld: boolean): Promise<void> {
    const leaving = new AbortController();
    const { showsThinking } = this.#commands;
    const style = this.#style;
    const printer = new RunPrinter(this.#screen, { style, answerStyle: this.#answerStyle, showsThinking });
    const listening = new Listening((signal) => this.#listen(runId, leaving, signal));
    try {
      const state = await watchRun({
        server: this.#session.server,
        runId,
        printer,
        screen: this.#screen,
        style,
        asker: this.#asker,
        onQuestion: (approval) => (approval ? listening.pause() : listening.resume()),
        onInterrupt: () => this.#cancel(runId),
        onEnd: (approval) => this.#leaveBehind(leaving, approval.id),
        ...(isOld ? { onEvents: (events) => this.#showBeginning(events) } : {}),
        signal: leaving.signal,
      });
      for (const line of endLines(state, style)) this.#screen.line(line);
    } finally {
      await listening.pause();
    }
  }

  #showBeginning(events: readonly { type: string; data: unknown }[]): void {
    const first = events.find(({ type }) => type === 'user_message')?.data as { content: MessageContent } | undefined;
    if (first) this.#screen.line(this.#style.accent(PROMPT + readableText(saidText(first.content))));
  }

  /** What the person types while a run goes on. @param runId undefined: it has not begun yet. */
  async #listen(runId: string | undefined, leaving: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const paint = this.#style.accent;
      const initial = this.#draft;
      const asked = { label: STEERING, paint, isQuiet: true, interruptsAtOnce: true, initial, signal };
      const reply = await this.#editor.read(asked);
      this.#draft = reply.type === 'stopped' ? reply.draft : '';
      if (reply.type === 'line') await this.#attempt(() => this.#steer(runId, reply.text));
      else if (reply.type === 'interrupt' && runId !== undefined) await this.#cancel(runId);
      else if (reply.type === 'interrupt') leaving.abort();
      else if (reply.type === 'end') {
        this.#leaveBehind(leaving);
        return;
      }
    }
  }

  async #cancel(runId: string): Promise<void> {
    this.#isLeaving = true;
    await this.#attempt(() => cancelRun(this.#session.server, runId));
  }

  /** Leaves, while the run goes on. @param approval what it waits for. */
  #leaveBehind(leaving: AbortController, approval?: string): void {
    this.#hasLeft = true;
    leaving.abort();
    const { say } = this.#commands;
    if (approval !== undefined)
      say(`It waits for your answer:\n  profclaw runs approve ${approval}\n  profclaw runs deny ${approval}`);
    else say(this.#options.isOwnServer ? 'It goes on with the next start.' : 'It goes on without you.');
  }

  async #steer(runId: string | undefined, text: string): Promise<void> {
    this.#options.history.add(text);
    if (runId === undefined || isOrder(text) || !(await steerRun(this.#session.server, runId, text)))
      this.#queue.push(text);
  }
}

/** Something that goes on in the background but for pauses. */
class Listening {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  #stopping = new AbortController();
  #running: Promise<void>;

  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work;
    this.#running = work(this.#stopping.signal);
  }

  async pause(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  resume(): void {
    this.#stopping = new AbortController();
    this.#running = this.#work(this.#stopping.signal);
  }
}
