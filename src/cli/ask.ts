import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { wrongUse } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** What nothing is written to. */
const SILENT = new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Asks at the terminal for something secret: what is typed is not shown.
 * @throws Error for a person if there is no terminal, or nothing was typed
 */
export async function askSecret(terminal: Terminal, question: string): Promise<string> {
  if (!terminal.input.isTTY)
    throw wrongUse('there is no terminal to ask at; give it with --key-stdin or --key-file <path>');
  const answer = await readAnswer(terminal, question, SILENT).finally(() => terminal.error.write('\n'));
  if (!answer) throw new Error('nothing was entered; nothing was changed');
  return answer;
}

/** Asks at the terminal whether to go on. @throws Error for a person unless the answer is `yes` */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  if (!terminal.input.isTTY) throw wrongUse('there is no terminal to ask at; say --yes if you are sure');
  const answer = await readAnswer(terminal, `${question} Type yes to go on: `, terminal.error);
  if (answer?.toLowerCase() !== 'yes') throw new Error('nothing was changed');
}

/** A line, without the white space around it; undefined if there is none, after Ctrl+C or Ctrl+D. */
async function readAnswer({ input, error }: Terminal, question: string, echo: Writable): Promise<string | undefined> {
  const lines = createInterface({ input, output: echo, terminal: true });
  const left = new AbortController();
  lines.once('SIGINT', () => left.abort());
  lines.once('close', () => left.abort());
  try {
    // Only now does the terminal show nothing by itself. What is shown, readline draws, and would draw over ours.
    if (echo === SILENT) error.write(question);
    return (await lines.question(echo === SILENT ? '' : question, { signal: left.signal })).trim();
  } catch (cause) {
    if (left.signal.aborted) return undefined;
    throw cause;
  } finally {
    lines.close();
  }
}

/** All of standard input, without the white space around it. @throws Error for a person if there is nothing */
export async function readSecretInput({ input }: Pick<Terminal, 'input'>): Promise<string> {
  let text = '';
  for await (const piece of input.setEncoding('utf8')) text += String(piece);
  if (text.trim() === '') throw new Error('standard input has no key');
  return text.trim();
}
