import type { ApprovalAnswer } from '../client/answer-approval.ts';
import type { Approval } from '../client/types.ts';
import { isObject, tryParseJson } from '../core/json.ts';
import { readableText } from '../core/readable-text.ts';
import { editInProgram } from './edit-in-program.ts';
import { plainJson } from './plain-json.ts';
import type { Editor } from './prompt-editor.ts';
import type { Screen } from './prompt-screen.ts';
import { onOneLine, type Style, wrapped } from './style.ts';

/** What asking works with. */
export interface Asker {
  screen: Screen;
  editor: Editor;
  style: Style;
  /** The program to edit a text with, as a command line; undefined: it is edited at the prompt. */
  program: string | undefined;
}

const CHOICES = 'y once · a always here · A always everywhere · n no, n why not · e edit; then Enter';
const ASKED = 'Allow it? [y/a/A/n/e] ';
const ASKED_EDITED = 'Do it like this? [y/n/e] ';

/**
 * Shows what a call would do, and asks.
 * @returns the answer; `interrupt` for Ctrl+C, `end` for Ctrl+D, undefined if the question is not open any more.
 */
export async function askApproval(
  asker: Asker,
  approval: Approval,
  signal: AbortSignal,
): Promise<ApprovalAnswer | 'interrupt' | 'end' | undefined> {
  const { screen, editor, style } = asker;
  screen.line(`\n${style.warn(style.bold('May this be done?'))}`);
  screen.line(style.dim(wrapped(onOneLine(approval.reason), screen.columns - 1)));
  screen.line(indented(readableText(approval.display)));
  screen.line(style.dim(CHOICES));
  for (;;) {
    const reply = await editor.read({ label: ASKED, paint: style.warn, isFresh: true, signal });
    if (reply.type === 'stopped') return undefined;
    if (reply.type !== 'line') return reply.type;
    const [, letter = '', reason = ''] = /^\s*(yes|no|\w)?\s*(.*)$/is.exec(reply.text) ?? [];
    switch (letter) {
      case 'y':
      case 'yes':
      case 'Y':
        if (reason === '') return { decision: 'allow-once' };
        break;
      case 'a':
        if (reason === '') return { decision: 'allow-always' };
        break;
      case 'A':
        if (reason === '') return { decision: 'allow-always', scope: 'user' };
        break;
      case 'n':
      case 'N':
      case 'no':
        return await refusal(asker, reason.trim(), signal);
      case 'e':
      case 'E':
        if (reason === '') {
          const answer = await edited(asker, approval, signal);
          if (answer !== 'unchanged') return answer;
        }
    }
    screen.line(style.dim(`Nothing was decided. ${CHOICES}`));
  }
}

async function refusal({ editor }: Asker, given: string, signal: AbortSignal): Promise<ApprovalAnswer | undefined> {
  if (given !== '') return { decision: 'deny', reason: given };
  const reply = await editor.read({
    label: 'Why not? (the model reads it; Enter for no reason) ',
    isFresh: true,
    signal,
  });
  if (reply.type === 'stopped') return undefined;
  const reason = reply.type === 'line' ? reply.text.trim() : '';
  return { decision: 'deny', ...(reason === '' ? {} : { reason }) };
}

/** Lets the person change the arguments, and shows what came of it before it is done. @returns `unchanged`: ask again. */
async function edited(
  asker: Asker,
  { params }: Approval,
  signal: AbortSignal,
): Promise<ApprovalAnswer | 'interrupt' | 'end' | 'unchanged' | undefined> {
  const { screen, editor, style } = asker;
  for (let given = params; ; ) {
    const now = await editedArguments(asker, given, signal);
    if (signal.aborted) return undefined;
    given = now ?? given;
    if (plainJson(given) === plainJson(params)) {
      if (now) screen.line(style.dim('Nothing was changed.'));
      return 'unchanged';
    }
    if (now) screen.line(`${style.warn('As you have changed it:')}\n${indented(plainJson(given, 2))}`);
    const reply = await editor.read({ label: ASKED_EDITED, paint: style.warn, isFresh: true, signal });
    if (reply.type === 'stopped') return undefined;
    if (reply.type !== 'line') return reply.type;
    const letter = reply.text.trim().toLowerCase();
    if (letter === 'y' || letter === 'yes') return { decision: 'allow-once', editedArguments: given };
    if (letter !== 'e') return 'unchanged';
  }
}

/** The arguments as a person wants them; undefined if nothing usable came of it, which has been said then. */
async function editedArguments(
  { screen, editor, style, program }: Asker,
  params: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  let text: string | undefined;
  if (program === undefined) {
    const reply = await editor.read({ label: 'Arguments: ', initial: plainJson(params), isFresh: true, signal });
    if (reply.type !== 'line') return undefined;
    text = reply.text;
  } else {
    editor.stop();
    // What comes meanwhile waits: the terminal is the program's.
    screen.input({ rows: [style.dim('The arguments are being edited.')], row: 0, column: 0 });
    try {
      text = await editInProgram(program, 'arguments.json', `${plainJson(params, 2)}\n`);
    } finally {
      screen.input(undefined);
      editor.start();
    }
    if (text === undefined) {
      screen.line(style.bad(`The editor failed: ${onOneLine(program)} ($VISUAL or $EDITOR). Nothing was changed.`));
      return undefined;
    }
  }
  const value = tryParseJson(text);
  if (isObject(value)) return value;
  screen.line(style.bad('These are no arguments: they must be one JSON object.'));
  return undefined;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
