import type { MessageContent, RunEvent } from '../client/run-events.ts';
import {
  type CallItem,
  NO_EVENTS,
  type ReasoningItem,
  type RunState,
  type StepItem,
  withEvents,
} from '../client/run-state.ts';
import { ReadableText, readableText } from '../core/readable-text.ts';
import { callLine, callStatus, durationText } from './chat-call-line.ts';
import { inCommands } from './chat-error.ts';
import { MarkdownPieces } from './chat-markdown.ts';
import type { Screen } from './prompt-screen.ts';
import { fitted, onOneLine, type Style } from './style.ts';

/** How a run is shown. */
export interface PrintOptions {
  /** Of what is said beside the answer. */
  style: Style;
  /** Of the answer. */
  answerStyle: Style;
  /** Reasoning in full; else only for how long it went on. */
  showsThinking: boolean;
  /** What the model says is kept for later; else it goes to the screen as it comes. */
  keepsAnswer?: boolean;
  /** What people say to the run meanwhile; else they have typed it here. */
  showsSaid?: boolean;
}

/** Text of one item, as far as it is shown. */
interface Shown {
  length: number;
  clean: ReadableText;
  markdown: MarkdownPieces;
}

/** Shows what a run does as it goes on, each thing once; what a terminal has shown stays as it was. */
export class RunPrinter {
  readonly #screen: Screen;
  readonly #options: PrintOptions;
  #state: RunState = NO_EVENTS;
  /** What is shown: all steps before this one, and all items of it before that one. */
  #step = 0;
  #item = 0;
  #text: Shown | undefined;
  #since = Date.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen, options: PrintOptions) {
    this.#screen = screen;
    this.#options = options;
  }

  get state(): RunState {
    return this.#state;
  }

  /** Shows what is new. */
  add(events: readonly RunEvent[]): void {
    for (const event of events) {
      this.#state = withEvents(this.#state, [event]);
      if (event.type === 'attempt:reset') this.#beginAnew();
    }
    this.#print();
    this.#timer ??= setInterval(() => this.#showStatus(), 1000).unref();
    this.#showStatus();
  }

  /** What is new is not shown by itself any more: the run has ended, or nobody watches. */
  stop(): void {
    clearInterval(this.#timer);
    this.#endText();
    this.#screen.status('');
  }

  /** What was said in this step is void; only the remark about it is new. */
  #beginAnew(): void {
    const items = this.#state.steps[this.#step]?.items ?? [];
    this.#text = undefined;
    this.#screen.endLine('answer');
    this.#item = Math.max(0, items.length - 1);
  }

  #print(): void {
    const { steps } = this.#state;
    for (; this.#step < steps.length; this.#step++, this.#item = 0) {
      const step = steps[this.#step];
      const items = step?.items ?? [];
      for (; this.#item < items.length; this.#item++) {
        const item = items[this.#item];
        const isLast = this.#item === items.length - 1 && step?.duration === undefined && !this.#state.end;
        if (item && !this.#printItem(item, isLast)) return;
        this.#since = Date.now();
      }
      if (this.#step === steps.length - 1) return;
    }
  }

  /** @returns whether all of it is shown, so that the next one may be. */
  #printItem(item: StepItem, isLast: boolean): boolean {
    const { style, showsThinking, answerStyle } = this.#options;
    switch (item.type) {
      case 'text':
        if (!this.#options.keepsAnswer)
          this.#printText(item.text, answerStyle, (text, markdown) => this.#screen.answer(markdown.add(text)));
        break;
      case 'reasoning':
        if (showsThinking) this.#printText(item.text, style, (text) => this.#screen.aside(dimmed(text, style)));
        if (item.duration === undefined && isLast) return false;
        if (!showsThinking) this.#screen.line(style.dim(thoughtFor(item)));
        break;
      case 'call':
        if (item.status === 'running' && !this.#state.end) return false;
        this.#screen.line(callLine(item, style, this.#screen.columns));
        break;
      case 'said':
        if (this.#options.showsSaid) this.#screen.line(style.accent(`» ${readableText(saidText(item.content))}`));
        break;
      case 'note':
        this.#screen.line(style.warn(`  ${onOneLine(item.text)}`));
    }
    if (item.type === 'text' && isLast) return false;
    this.#endText(item.type);
    return true;
  }

  #printText(text: string, style: Style, write: (piece: string, markdown: MarkdownPieces) => void): void {
    this.#text ??= { length: 0, clean: new ReadableText(), markdown: new MarkdownPieces(style) };
    const { length, clean, markdown } = this.#text;
    if (text.length <= length) return;
    this.#text.length = text.length;
    write(clean.add(text.slice(length)), markdown);
  }

  #endText(type?: StepItem['type']): void {
    if (!this.#text) return;
    const { clean, markdown } = this.#text;
    const isAnswer = type !== 'reasoning';
    const rest = clean.end();
    if (isAnswer) this.#screen.answer(markdown.add(rest) + markdown.end());
    this.#text = undefined;
    this.#screen.endLine(isAnswer ? 'answer' : 'aside');
  }

  #showStatus(): void {
    const { style } = this.#options;
    const text = this.#doing(Math.floor((Date.now() - this.#since) / 1000));
    this.#screen.status(text === '' ? '' : style.dim(fitted(text, this.#screen.columns - 1)));
  }

  #doing(seconds: number): string {
    const { steps, end, isWaiting } = this.#state;
    if (end || isWaiting) return '';
    const item = steps.at(-1)?.items.at(this.#item);
    if (item?.type === 'call') return callStatus(item, seconds);
    if (item?.type === 'reasoning') return this.#options.showsThinking ? '' : `thinking… ${seconds} s`;
    if (item?.type === 'text' && !this.#options.keepsAnswer) return '';
    return steps.length === 0 ? `waiting for its turn… ${seconds} s` : `working… ${seconds} s`;
  }
}

/** The lines that say how a run ended. */
export function endLines({ end, summary, steps }: RunState, style: Style): string[] {
  if (end?.type === 'error') {
    if (end.data.code === 'CANCELLED') return [style.warn('Cancelled.')];
    return [style.bad(`Failed: ${onOneLine(inCommands(end.data.message))} (${onOneLine(end.data.code)})`)];
  }
  if (end?.type !== 'complete') return [];
  const { stopReason, totalTokens, cost, provider, model } = end.data;
  const took = steps.reduce((sum, { duration = 0 }) => sum + duration, 0);
  const facts = [
    `${totalTokens.toLocaleString('en')} tokens`,
    ...(cost === null ? [] : [costText(cost)]),
    onOneLine(model.startsWith(`${provider}/`) || model === provider ? model : `${provider}/${model}`),
    durationText(took),
  ];
  const last = steps.at(-1)?.items.some(({ type }) => type === 'text') ? '' : (summary?.summary ?? '');
  return [
    ...(last === '' ? [] : [readableText(last)]),
    ...(stopReason === 'completed' ? [] : [style.warn(STOPPED[stopReason])]),
    ...(steps.at(-1)?.finishReason === 'length' ? [style.warn(CUT_OFF)] : []),
    style.dim(facts.join(' · ')),
  ];
}

const STOPPED = {
  max_steps: 'Stopped: it has had all its steps. “Go on” gives it as many again; --effort high allows more.',
  budget: 'Stopped: its budget of tokens is used up.',
  no_progress: 'Stopped: it called the same tool in the same way again and again.',
} as const;

const CUT_OFF = 'The answer is cut off: it is as long as the model may answer. “Go on” gets the rest.';

/** USD for a person: what is less than a cent, too. */
export function costText(cost: number): string {
  if (cost === 0) return '$0';
  return cost < 0.01 ? `$${cost.toPrecision(2)}` : `$${cost.toFixed(2)}`;
}

/** The text of the last step that says something: what is asked for if only one text is wanted. */
export function answerOf({ steps, summary }: RunState): string {
  for (const { items } of steps.toReversed()) {
    const text = items.map((item) => (item.type === 'text' ? item.text : '')).join('');
    if (text.trim() !== '') return text;
  }
  return summary?.summary ?? '';
}

/** The calls of a run, in order. */
export function callsOf({ steps }: RunState): CallItem[] {
  return steps.flatMap(({ items }) => items.filter((item) => item.type === 'call'));
}

/** What a user said, as text. */
export function saidText(content: MessageContent): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : `[${partName(part)}]`)).join('\n');
}

function partName(part: Exclude<MessageContent, string>[number]): string {
  return part.type === 'file' ? (part.filename ?? 'file') : part.type;
}

function thoughtFor({ duration }: ReasoningItem): string {
  return duration === undefined ? 'thought' : `thought for ${durationText(duration)}`;
}

/** Line by line: what comes between two pieces must not be dimmed. */
function dimmed(text: string, style: Style): string {
  return text
    .split('\n')
    .map((line) => style.dim(line))
    .join('\n');
}
