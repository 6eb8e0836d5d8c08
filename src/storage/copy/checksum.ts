import { hash } from 'node:crypto';
import type { Column, Row, Value } from './tables.ts';

/** What can be compared of a table: how many rows, and 32 hex digits that any change of a value changes. */
export interface TableSum {
  rows: number;
  checksum: string;
}

/**
 * Adds up rows in whatever order they come, since the databases sort texts differently: the sum, modulo 2^128, of the
 * beginnings of every row's SHA-256.
 */
export class RowSum {
  readonly #columns: readonly Column[];
  #rows = 0;
  #high = 0n;
  #low = 0n;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
  }

  add(row: Row): void {
    const text = this.#columns.map((column, index) => canonical(column, row[index] ?? null)).join('');
    const digest = hash('sha256', text, 'buffer');
    const low = this.#low + digest.readBigUInt64BE(8);
    this.#low = BigInt.asUintN(64, low);
    this.#high = BigInt.asUintN(64, this.#high + digest.readBigUInt64BE(0) + (low >> 64n));
    this.#rows++;
  }

  result(): TableSum {
    const checksum = [this.#high, this.#low].map((half) => half.toString(16).padStart(16, '0')).join('');
    return { rows: this.#rows, checksum };
  }
}

/** One spelling of a value for both databases, which says where it ends. */
function canonical({ name, kind }: Column, value: Value): string {
  const text = value === null ? '' : spelling(kind, value);
  return `${name}=${value === null ? 'null' : text.length}:${text};`;
}

function spelling(kind: Column['kind'], value: Exclude<Value, null>): string {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (kind === 'boolean') return value === true || value === 1 ? '1' : '0';
  // SQLite has no zero with a sign.
  return Object.is(value, -0) ? '0' : String(value);
}
