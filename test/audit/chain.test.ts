import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS } from '../../src/audit/actions.ts';
import { type AuditRow, GENESIS, hashOf } from '../../src/storage/audit-chain.ts';

const ROW: Omit<AuditRow, 'hash'> = {
  seq: 1,
  at: '2026-01-02T03:04:05.678Z',
  owner: 'local',
  actor: 'usr_1',
  credential: '',
  action: 'account.login',
  target: 'usr_1',
  outcome: 'done',
  address: '::1',
  request_id: 'req_1',
  details: '{"a":"ü"}',
};
const COLUMNS = Object.keys(ROW).filter((column) => column !== 'seq') as Exclude<keyof typeof ROW, 'seq'>[];

describe('the hash of a row', () => {
  it('stays what it was, or the logs that there are would be bad', () => {
    // printf '["",1,"2026-01-02T03:04:05.678Z","local",…,"{\"a\":\"ü\"}"]' | sha256sum
    expect(hashOf(GENESIS, ROW)).toBe('b1bf8db20ed1010b74b46e8c7bb13fe6ffb621e487dfca53b46c714442c4542f');
  });

  it('changes with every byte of every column, and with the row before', () => {
    const hashes = [hashOf(GENESIS, ROW), hashOf('0', ROW), hashOf('1', ROW), hashOf(GENESIS, { ...ROW, seq: 2 })];
    for (const column of COLUMNS) {
      const text = ROW[column];
      for (let at = 0; at < text.length; at++) {
        const flipped = String.fromCharCode(text.charCodeAt(at) ^ 1);
        hashes.push(hashOf(GENESIS, { ...ROW, [column]: text.slice(0, at) + flipped + text.slice(at + 1) }));
      }
    }
    expect(hashes.length).toBeGreaterThan(70);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('changes when text moves from one column to another, quotes and commas too', () => {
    const hashes = [];
    for (const [i, from] of COLUMNS.entries()) {
      for (const to of COLUMNS.slice(i + 1)) {
        for (const moved of ['x', '"', ',', '","', '\\', '\\"', 'null']) {
          hashes.push(hashOf(GENESIS, { ...ROW, [from]: `a${moved}`, [to]: 'b' }));
          hashes.push(hashOf(GENESIS, { ...ROW, [from]: 'a', [to]: `${moved}b` }));
        }
      }
    }
    expect(hashes.length).toBeGreaterThan(500);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

it('the documentation has the actions that there are', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/audit.md'), 'utf8');
  const named = [...docs.matchAll(/^\| `([a-z_]+\.[a-z]+)` \| \S/gm)].map((match) => match[1]);
  expect(named).toEqual([...AUDIT_ACTIONS]);
});
