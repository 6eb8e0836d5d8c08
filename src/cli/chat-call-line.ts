import type { CallItem } from '../client/run-state.ts';
import { fitted, onOneLine, type Style } from './style.ts';

/** Arguments that say best what a call is about. */
const TELLING = ['command', 'path', 'url', 'query', 'pattern', 'title', 'summary'];
const LONG_RESULT = 200;

const OUTCOMES = {
  running: ['…', ''],
  success: ['✓', ''],
  error: ['✗', 'failed'],
  denied: ['✗', 'refused'],
  cancelled: ['✗', 'cancelled'],
} as const;

/** A call on one line: what it is, how it went, how long it took, and its result if that is short. */
export function callLine(call: CallItem, style: Style, columns: number): string {
  const [sign, word] = OUTCOMES[call.status];
  const took = call.duration === undefined ? [] : [durationText(call.duration)];
  const about = [...(word === '' ? [] : [word]), ...took, ...resultText(call)].join(' · ');
  const room = Math.max(columns - 1, 20);
  const name = `${onOneLine(call.name)} `;
  const given = fitted(argumentsText(call), Math.max(Math.floor(room / 2), room - about.length - name.length - 7));
  const plain = fitted(`${name}${given}${about === '' ? '' : `  ${about}`}`, room - 4);
  const paint = call.status === 'success' ? style.good : call.status === 'running' ? style.dim : style.bad;
  return `  ${paint(sign)} ${plain.slice(0, name.length)}${style.dim(plain.slice(name.length))}`;
}

/** What a running call is doing, for the line at the bottom. */
export function callStatus(call: CallItem, seconds: number): string {
  const last = call.progress.trimEnd().split('\n').at(-1) ?? '';
  const said = onOneLine(last);
  return `${onOneLine(call.name)} ${argumentsText(call)} · ${seconds} s${said === '' ? '' : ` · ${said}`}`;
}

/** Milliseconds for a person. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function argumentsText({ arguments: given }: CallItem): string {
  const telling = TELLING.map((name) => given[name]).find((value) => typeof value === 'string');
  if (typeof telling === 'string') return onOneLine(telling);
  return Object.keys(given).length === 0 ? '' : onOneLine(JSON.stringify(given));
}

function resultText({ result, status }: CallItem): string[] {
  if (result === undefined || status === 'denied' || status === 'cancelled') return [];
  const lines = result.trim().split('\n');
  const [first = ''] = lines;
  if (status !== 'success' || lines.length === 1) return [onOneLine(first).slice(0, LONG_RESULT)].filter(Boolean);
  return [`${lines.length} lines`];
}
