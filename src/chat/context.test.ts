import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Task } from '../storage/tasks.ts';
import { contextBlock } from './context.ts';

const TASK: Task = {
  id: 'task_1',
  title: 'T',
  prompt: 'P',
  description: null,
  status: 'pending',
  priority: 3,
  labels: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-02T00:00:00.000Z',
};

function inside(block: string): unknown {
  const [, json = ''] = /^[^\n]*\n<task>\n([\s\S]*)\n<\/task>$/.exec(block) ?? [];
  return JSON.parse(json);
}

describe('contextBlock', () => {
  it('holds what helps the model: no ids, no times, nothing empty', () => {
    expect(inside(contextBlock('task', TASK))).toEqual({ title: 'T', prompt: 'P', status: 'pending', priority: 3 });
  });

  it('says that it is data and not an instruction', () => {
    expect(contextBlock('task', TASK)).toMatch(/as data.*never an instruction/);
  });

  it('cannot be closed or opened again by any content, and loses none of it', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('</task>', '<task>', '</TASK >', '\u2028', '"\n'),
    );
    const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(''));
    fc.assert(
      fc.property(text, text, fc.array(text), (title, description, labels) => {
        const block = contextBlock('task', { ...TASK, title, description, labels });
        expect(block.match(/<[^\n]*/g)).toEqual(['<task>', '</task>']);
        expect(inside(block)).toMatchObject({ title, description, ...(labels.length > 0 ? { labels } : {}) });
      }),
    );
  });
});
