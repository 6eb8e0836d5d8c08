import { emitKeypressEvents } from 'node:readline';
import type { Readable } from 'node:stream';
import { readableText } from '../core/readable-text.ts';
import { type Draft, inserted, type Key, NO_DRAFT, type Order, pressed } from './prompt-keys.ts';
import { layOut } from './prompt-layout.ts';
import type { Screen } from './prompt-screen.ts';
import { widthOf } from './style.ts';

/** Of xterm: what is pasted comes between marks. */
const PASTE_MARKS_ON = '\u001b[?2004h';
const PASTE_MARKS_OFF = '\u001b[?2004l';

/** The keyboard. */
export type Keyboard = Readable & { isTTY?: boolean; setRawMode?(on: boolean): unknown };

/** What a person does at a prompt. `stopped`: the question is not open any more. */
export type Reply = { type: 'line'; text: string } | { type: 'interrupt' | 'end' | 'stopped'; draft: string };

/** A question to a person. */
export interface Question {
  /** Stands before what is typed. */
  label: string;
  /** How the label looks. */
  paint?: (label: string) => string;
  /** What is typed already. */
  initial?: string;
  /** Newest last; what the arrow keys go through. */
  history?: readonly string[];
  /** Nothing is shown until something is typed. */
  isQuiet?: boolean;
  /** What was typed before it was asked does not count. */
  isFresh?: boolean;
  /** Ctrl+C counts although something is typed. */
  interruptsAtOnce?: boolean;
  /** @returns how a text could go on; the first that is longer than it is taken. */
  complete?: (text: string) => readonly string[];
  signal?: AbortSignal;
}

interface Open extends Question {
  draft: Draft;
  /** What was typed before the arrow keys went into the history. */
  own: Draft;
  /** Place in the history; its length: not in it. */
  at: number;
  answer: (reply: Reply) => void;
}

/** Reads lines at a terminal, with the keys that people know from their shell; several lines may be one message. */
export class Editor {
  readonly #keyboard: Keyboard;
  readonly #screen: Screen;
  readonly #write: (text: string) => void;
  readonly #keys: [string | undefined, Key][] = [];
  readonly #onKey = (typed: string | undefined, key: Key | undefined): void => this.#take(typed, key ?? {});
  readonly #onEnd = (): void => this.#open?.answer({ type: 'end', draft: '' });
  #open: Open | undefined;
  #pasted: string[] | undefined;
  #isDrawing = false;

  /** @param write to the terminal, what is no text. */
  constructor(keyboard: Keyboard, screen: Screen, write: (text: string) => void) {
    this.#keyboard = keyboard;
    this.#screen = screen;
    this.#write = write;
  }

  /** Takes the keyboard. */
  start(): void {
    emitKeypressEvents(this.#keyboard);
    this.#keyboard.setRawMode?.(true);
    this.#write(PASTE_MARKS_ON);
    this.#keyboard.on('keypress', this.#onKey);
    this.#keyboard.on('end', this.#onEnd);
    this.#keyboard.resume();
  }

  /** Gives it back, as it was; safe to call twice. */
  stop(): void {
    this.#keyboard.off('keypress', this.#onKey);
    this.#keyboard.off('end', this.#onEnd);
    this.#keyboard.setRawMode?.(false);
    this.#write(PASTE_MARKS_OFF);
    this.#keyboard.pause();
  }

  /** Asks one question; the next may be asked when it has its reply. */
  async read(question: Question): Promise<Reply> {
    if (question.signal?.aborted) return { type: 'stopped', draft: question.initial ?? '' };
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const { initial = '', history = [] } = question;
    const draft = { text: initial, cursor: initial.length };
    const open: Open = { ...question, draft, own: NO_DRAFT, at: history.length, answer: resolve };
    this.#open = open;
    const stop = (): void => open.answer({ type: 'stopped', draft: open.draft.text });
    question.signal?.addEventListener('abort', stop, { once: true });
    this.#draw();
    const typed = this.#keys.splice(0);
    for (const [text, key] of question.isFresh ? [] : typed) this.#take(text, key);
    const reply = await promise;
    question.signal?.removeEventListener('abort', stop);
    this.#open = undefined;
    if (reply.type === 'line') this.#screen.keepInput();
    else this.#screen.input(undefined);
    return reply;
  }

  #take(typed: string | undefined, key: Key): void {
    if (key.name === 'paste-start') this.#pasted = [];
    else if (key.name === 'paste-end') this.#putPasted();
    else if (this.#pasted) this.#pasted.push(key.name === 'return' ? '\n' : (typed ?? ''));
    else if (this.#open) this.#press(this.#open, typed, key);
    else this.#keys.push([typed, key]);
  }

  #putPasted(): void {
    const text = readableText((this.#pasted ?? []).join(''));
    this.#pasted = undefined;
    if (!this.#open) return;
    this.#open.draft = inserted(this.#open.draft, text);
    this.#draw();
  }

  #press(open: Open, typed: string | undefined, key: Key): void {
    const result = pressed(open.draft, typed, key);
    if (typeof result !== 'string') open.draft = result;
    else if (this.#obey(open, result)) return;
    this.#draw();
  }

  /** @returns whether the question has its reply. */
  #obey(open: Open, order: Order): boolean {
    const { history = [], draft } = open;
    switch (order) {
      case 'submit':
        if (open.isQuiet && draft.text.trim() === '') return false;
        this.#drawNow();
        this.#reply(open, { type: 'line', text: draft.text });
        return true;
      case 'interrupt':
        if (draft.text !== '' && !open.interruptsAtOnce) {
          open.draft = NO_DRAFT;
          return false;
        }
        this.#reply(open, { type: 'interrupt', draft: draft.text });
        return true;
      case 'end':
        this.#reply(open, { type: 'end', draft: '' });
        return true;
      case 'older':
        this.#goTo(open, Math.max(0, open.at - 1));
        return false;
      case 'newer':
        this.#goTo(open, Math.min(history.length, open.at + 1));
        return false;
      case 'complete': {
        const longer = open.complete?.(draft.text)[0];
        if (longer !== undefined) open.draft = { text: longer, cursor: longer.length };
        return false;
      }
      case 'clear-screen':
        this.#screen.clear();
        return false;
      case 'nothing':
        return false;
    }
  }

  /** What is typed from now on is for the next question. */
  #reply(open: Open, reply: Reply): void {
    this.#open = undefined;
    open.answer(reply);
  }

  #goTo(open: Open, at: number): void {
    const { history = [] } = open;
    if (at === open.at) return;
    if (open.at === history.length) open.own = open.draft;
    open.at = at;
    const text = history[at];
    open.draft = text === undefined ? open.own : { text, cursor: text.length };
  }

  /** Once for all keys that came together. */
  #draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    setImmediate(() => {
      this.#isDrawing = false;
      if (this.#open) this.#drawNow();
    });
  }

  #drawNow(): void {
    const open = this.#open;
    if (!open) return;
    if (open.isQuiet && open.draft.text === '') {
      this.#screen.input(undefined);
      return;
    }
    const { label, paint = (text: string) => text } = open;
    const indent = widthOf(label);
    const { rows, row, column } = layOut(open.draft, indent, this.#screen.columns, Math.max(this.#screen.rows - 1, 1));
    const shown = rows.map((text, index) => (index === 0 ? paint(label) : ' '.repeat(indent)) + text);
    this.#screen.input({ rows: shown, row, column });
  }
}
