import { inLogs } from '../../core/redactor.ts';
import { onOneLine, styleOf } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { writeLine } from '../terminal.ts';
import type { Finding, Standing } from './finding.ts';

/** The sign is never alone: its word is beside it, and nothing hangs on colour. */
const SIGNS: Readonly<Record<Standing, string>> = {
  ok: '✓ ok     ',
  none: '- none   ',
  warning: '! warning',
  failed: '✗ failed ',
};

/** Where a name stands. */
const SIGN_WIDTH = 12;
/** A text is wrapped to no less than this. */
const MIN_ROOM = 20;
const LEAST_WIDTH = 14;
const FIX = `${' '.repeat(SIGN_WIDTH + 2)}fix: `;

/** A heading with what was found under it. */
export interface Section {
  title: string;
  findings: readonly Finding[];
}

/** Writes a heading and its findings, each with its fix below. Whatever is secret is struck out. */
export function writeSection(terminal: Terminal, { title, findings }: Section): void {
  const style = styleOf(terminal.output);
  const paints = { ok: style.good, none: style.dim, warning: style.warn, failed: style.bad };
  const width = Math.max(LEAST_WIDTH, ...findings.map(({ name }) => name.length));
  writeLine(terminal, style.bold(title));
  for (const { name, standing, says, fix } of findings) {
    const lines = linesOf(terminal, says, SIGN_WIDTH + width + 1);
    writeLine(terminal, `  ${paints[standing](SIGNS[standing])} ${name.padEnd(width)} ${lines}`);
    if (fix !== undefined) writeLine(terminal, `${FIX}${linesOf(terminal, fix, FIX.length)}`);
  }
}

/** Writes how many of each there were. */
export function writeSum(terminal: Terminal, sections: readonly Section[]): void {
  const { failed, warnings, fine } = count(sections);
  const verdict = failed > 0 ? 'Something is broken' : warnings > 0 ? 'It works' : 'All is well';
  const warned = warnings === 1 ? '1 warning' : `${warnings} warnings`;
  writeLine(terminal, `\n${verdict}: ${failed} failed, ${warned}, ${fine} ok.`);
}

/** Writes everything for programs. */
export function writeReport(terminal: Terminal, sections: readonly Section[]): void {
  const { failed, warnings } = count(sections);
  const findings = sections.flatMap(({ title, findings }) => findings.map((finding) => ({ group: title, ...finding })));
  const report = { ok: failed === 0, failed, warnings, findings };
  writeLine(terminal, JSON.stringify(inLogs.redactAll(report), null, 2));
}

/** How many findings there are of each standing. */
export function count(sections: readonly Section[]): { failed: number; warnings: number; fine: number } {
  const all = sections.flatMap(({ findings }) => findings.map(({ standing }) => standing));
  const of = (standing: Standing): number => all.filter((one) => one === standing).length;
  return { failed: of('failed'), warnings: of('warning'), fine: of('ok') };
}

/** A text without what is secret; on a terminal it goes on below itself where the line ends. */
function linesOf({ output }: Terminal, text: string, indent: number): string {
  const { isTTY, columns = 80 } = output;
  const whole = clean(text);
  const room = Math.max(columns - indent, MIN_ROOM);
  if (!isTTY) return whole;
  const lines: string[] = [];
  for (const word of whole.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

function clean(text: string): string {
  return onOneLine(inLogs.redact(text));
}
