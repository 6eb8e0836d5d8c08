import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NOTES = 'notes.jsonl';
const MARKS = 'marks';

/** An effect that a call had. */
export interface Effect {
  idempotencyKey: string;
  text: string;
}

/** Makes the folder that effects are kept in. */
export function prepareEffects(folder: string): void {
  mkdirSync(join(folder, MARKS), { recursive: true });
  appendFileSync(join(folder, NOTES), '');
}

/** One more line: what must not happen twice. */
export function addNote(folder: string, effect: Effect): void {
  appendFileSync(join(folder, NOTES), `${JSON.stringify(effect)}\n`);
}

/** A file of its own: twice is the same as once. */
export function writeMark(folder: string, { idempotencyKey, text }: Effect): void {
  writeFileSync(join(folder, MARKS, encodeURIComponent(idempotencyKey)), text);
}

/** All effects so far, by tool. */
export function readEffects(folder: string): { note: Effect[]; mark: Effect[] } {
  const lines = readFileSync(join(folder, NOTES), 'utf8').split('\n').slice(0, -1);
  return {
    note: lines.map((line) => JSON.parse(line) as Effect),
    mark: readdirSync(join(folder, MARKS)).map((name) => ({
      idempotencyKey: decodeURIComponent(name),
      text: readFileSync(join(folder, MARKS, name), 'utf8'),
    })),
  };
}
