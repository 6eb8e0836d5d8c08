import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/json.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import type { MessageRow, ToolCallRow } from '../storage/messages.ts';
import type { ApprovalStatus } from '../storage/run-schema.ts';
import type { ToolCallStatus } from '../storage/schema.ts';
import { callRecord, declaredSummary, pastCalls, placedCall, stageOf } from './messages.ts';

interface Given {
  name?: string;
  arguments?: JsonObject;
  status: ToolCallStatus;
  result?: string;
}

/** An answer with these calls, whose ids are their names and places. */
function answer(seq: number, calls: Given[]): MessageRow {
  const rows = calls.map(({ name = 'tool', arguments: given = {}, status, result }, position): ToolCallRow => {
    const body = JSON.stringify({ id: `${name}-${position}`, name, arguments: given });
    const text = result === undefined ? null : JSON.stringify(result);
    const place = { owner: 'o', conversation: 1, seq, position };
    return { ...place, status, tokens: 0, duration: null, body, result: text, result_id: null };
  });
  const row = { owner: 'o', conversation: 1, seq, id: `msg-${seq}`, status: 'complete', turn: 'run', size: 0 } as const;
  const body = JSON.stringify({ content: '' });
  return {
    ...row,
    role: 'assistant',
    tokens: 0,
    calls: rows.length,
    created_at: '',
    error: null,
    body,
    toolCalls: rows,
  };
}

function approval(message_seq: number, position: number, status: ApprovalStatus, id = 'approval'): ApprovalRow {
  return {
    ...{ id, owner: 'o', conversation: 1, conversation_id: 'c', run: 'run', message_seq, position, status },
    ...{ tool_call_id: '', tool: 'tool', level: 'moderate', reason: '', arguments_hash: '', arguments: '{}' },
    ...{ decided_by: null, created_at: '', decided_at: null, expires_at: 0, edited_arguments: null, note: null },
  };
}

describe('a call in its place', () => {
  const message = answer(4, [{ status: 'pending' }, { name: 'other', status: 'pending' }]);

  it('is found with the newest question about it', () => {
    const approvals = [
      approval(4, 1, 'allowed', 'first'),
      approval(3, 1, 'denied', 'of another message'),
      approval(4, 1, 'pending', 'second'),
      approval(4, 0, 'denied', 'of another call'),
    ];
    expect(placedCall(message, 1, approvals)).toMatchObject({
      call: { id: 'other-1', name: 'other' },
      row: { position: 1 },
      approval: { id: 'second' },
    });
    expect(placedCall(message, 0, [])?.approval).toBeUndefined();
  });

  it('is not where there is none', () => {
    expect(placedCall(message, 2, [])).toBeUndefined();
  });
});

describe('how a call stands', () => {
  it.each<[ToolCallStatus, ApprovalStatus | undefined, string]>([
    ['pending', undefined, 'new'],
    ['pending', 'pending', 'asked'],
    ['pending', 'allowed', 'allowed'],
    ['pending', 'denied', 'refused'],
    ['pending', 'expired', 'refused'],
    ['pending', 'cancelled', 'refused'],
    ['running', undefined, 'interrupted'],
    ['running', 'allowed', 'interrupted'],
    ['success', 'allowed', 'over'],
    ['error', undefined, 'over'],
    ['denied', 'denied', 'over'],
    ['cancelled', 'pending', 'over'],
  ])('%s with the approval %s is %s', (status, question, stage) => {
    expect(stageOf({ status }, question && approval(1, 0, question))).toBe(stage);
  });
});

describe('the calls that are over', () => {
  it('are equal if their names and arguments are, in whatever order those are written', () => {
    const messages = [
      answer(1, [
        { arguments: { a: 1, b: { c: 2, d: 3 } }, status: 'success' },
        { arguments: { b: { d: 3, c: 2 }, a: 1 }, status: 'success' },
        { arguments: { a: 2 }, status: 'success' },
        { name: 'other', arguments: { a: 2 }, status: 'success' },
      ]),
    ];
    const [first, second, third, fourth] = pastCalls(messages).map(({ call }) => call);
    expect(first).toBe(second);
    expect(new Set([first, third, fourth]).size).toBe(3);
  });

  it('come in order, and those that are not over are left out', () => {
    const messages = [
      answer(1, [
        { name: 'a', status: 'success' },
        { name: 'b', status: 'error' },
      ]),
      answer(2, [
        { name: 'c', status: 'denied' },
        { name: 'd', status: 'cancelled' },
        { name: 'e', status: 'running' },
        { name: 'f', status: 'pending' },
      ]),
    ];
    expect(pastCalls(messages)).toEqual([
      { step: 1, call: 'a {}', isFailed: false },
      { step: 1, call: 'b {}', isFailed: true },
      { step: 2, call: 'c {}', isFailed: true },
      { step: 2, call: 'd {}', isFailed: true },
    ]);
  });
});

describe('what a model says of its work when it is done', () => {
  const given = { summary: 'All done', artifacts: ['a.txt'], nextSteps: ['sleep'] };
  const said = { name: 'complete_task', arguments: given };

  it('is in its call, wherever that stands', () => {
    const message = answer(1, [{ status: 'success' }, { ...said, status: 'success' }]);
    expect(declaredSummary(message)).toEqual(given);
  });

  it.each<ToolCallStatus>(['pending', 'running', 'error', 'denied', 'cancelled'])(
    'is not there if that is %s',
    (status) => {
      expect(declaredSummary(answer(1, [{ ...said, status }]))).toBeUndefined();
    },
  );

  it('is not there without one', () => {
    expect(declaredSummary(answer(1, [{ name: 'complete', arguments: given, status: 'success' }]))).toBeUndefined();
    expect(declaredSummary(answer(1, []))).toBeUndefined();
    expect(declaredSummary(undefined)).toBeUndefined();
  });

  it('has no more than its summary if the model leaves the rest out', () => {
    const message = answer(1, [{ name: 'complete_task', arguments: { summary: 'S' }, status: 'success' }]);
    expect(declaredSummary(message)).toEqual({ summary: 'S', artifacts: [], nextSteps: [] });
  });
});

describe('a call as it is given out', () => {
  it('has its result, or null', () => {
    const message = answer(1, [{ arguments: { a: 1 }, status: 'success', result: 'R\u0000' }, { status: 'pending' }]);
    const records = message.toolCalls.map((_, position) => callRecord(placedCall(message, position, [])!));
    expect(records).toEqual([
      { id: 'tool-0', name: 'tool', arguments: { a: 1 }, result: 'R\u0000', status: 'success', duration: null },
      { id: 'tool-1', name: 'tool', arguments: {}, result: null, status: 'pending', duration: null },
    ]);
  });

  it('has arguments that are no JSON as the model wrote them', () => {
    const [row] = answer(1, [{ status: 'error' }]).toolCalls;
    const call = { id: 'c', name: 'tool', arguments: {}, invalidArguments: '{"a":' };
    expect(callRecord({ row: row!, call })).toMatchObject({ arguments: {}, invalidArguments: '{"a":' });
  });
});
