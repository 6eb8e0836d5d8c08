import { expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { createPreset, deletePreset, getPreset, updatePreset } from '../../../src/storage/presets.ts';
import { getServerSetting, putServerSetting } from '../../../src/storage/settings.ts';
import { createTask, deleteTask, getTask, listTasks, updateTask } from '../../../src/storage/tasks.ts';
import { createTicket, getTicket, updateTicket } from '../../../src/storage/tickets.ts';
import { newOwner, type OpenDb } from './backend.ts';

const NAUGHTY = [
  '',
  ' ',
  '  leading and trailing  \n',
  '\r\n\r\n\t\v\f',
  "'; DROP TABLE tasks; --",
  '" \\ \\\' \\0 \\u0000 %s $1 ? ?1 :a @b {} []',
  'null',
  'NaN',
  '007',
  '1e400',
  '2026-01-01',
  'e\u0301 versus \u00e9, \u1e9b\u0323, \ufb01',
  '\u202eright to left\u202c \u200b\u200d\ufeff\u00ad',
  '\ufeffbyte order mark',
  '\u0001\u0002\u001f\u007f\u0080\u009f',
  '\ufffe\uffff\ufffd',
  '👩‍👩‍👧‍👦 🏳️‍🌈 𝕏 \u{10ffff}',
  '田中さん الله ทดสอบ İıſ ß',
  'x'.repeat(1_000_000),
];

// [what is passed, what the message must say of it]
const UNSTORABLE: [string, RegExp][] = [
  ['a\0b', /NUL/],
  ['\0', /NUL/],
  ['\ud800', /surrogate/],
  ['ab\udc00', /surrogate/],
  ['\udc00\ud800', /surrogate/],
];

export function textTests(db: OpenDb): void {
  it('gives naughty strings back byte for byte', async () => {
    const owner = newOwner();
    for (const text of NAUGHTY) {
      const task = await createTask(db(), owner, { title: text, prompt: text, description: text, labels: [text, 'z'] });
      expect(await getTask(db(), owner, task.id)).toMatchObject({
        title: text,
        prompt: text,
        description: text,
        labels: [text, 'z'],
      });
      const ticket = await createTicket(db(), owner, { title: '' });
      await updateTicket(db(), owner, ticket.id, { title: text, description: text, labels: [text] });
      expect(await getTicket(db(), owner, ticket.id)).toMatchObject({ title: text, description: text, labels: [text] });
      const preset = await createPreset(db(), owner, {
        name: text,
        description: text,
        systemPrompt: text,
        model: text,
      });
      expect(await getPreset(db(), owner, preset.id)).toMatchObject({ name: text, systemPrompt: text, model: text });
      await putServerSetting(db(), owner, 'naughty', text);
      expect(await getServerSetting(db(), 'naughty')).toBe(text);
    }
  });

  it('takes a naughty owner for what it is', async () => {
    const owner = "' OR 1=1 --";
    const task = await createTask(db(), owner, { title: 'T', prompt: '' });
    expect(await listTasks(db(), owner, { limit: 5, offset: 0 })).toEqual({ tasks: [task], total: 1 });
  });

  it.each(UNSTORABLE)('refuses %j and names the field', async (text, message) => {
    const owner = newOwner();
    const fields = async (work: Promise<unknown>) => {
      const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(InvalidRequestError);
      const issues = (error as InvalidRequestError).details?.issues as { path: string; message: string }[];
      for (const issue of issues) expect(issue.message).toMatch(message);
      return issues.map((issue) => issue.path);
    };
    const task = await createTask(db(), owner, { title: 'T', prompt: 'P' });
    const ticket = await createTicket(db(), owner, { title: 'T' });
    const preset = await createPreset(db(), owner, { name: 'N', systemPrompt: 'S' });
    expect(await fields(createTask(db(), owner, { title: text, prompt: text, labels: ['ok', text] }))).toEqual([
      'title',
      'prompt',
      'labels.1',
    ]);
    expect(await fields(updateTask(db(), owner, task.id, { description: text }))).toEqual(['description']);
    expect(await fields(createTicket(db(), owner, { title: text }))).toEqual(['title']);
    expect(await fields(updateTicket(db(), owner, ticket.id, { labels: [text] }))).toEqual(['labels.0']);
    expect(await fields(createPreset(db(), owner, { name: 'N', systemPrompt: text }))).toEqual(['systemPrompt']);
    expect(await fields(updatePreset(db(), owner, preset.id, { model: text }))).toEqual(['model']);
    expect(await fields(putServerSetting(db(), owner, 'key', text))).toEqual(['key']);
    expect(await listTasks(db(), owner, { limit: 5, offset: 0 })).toEqual({ tasks: [task], total: 1 });
    expect(await getTicket(db(), owner, ticket.id)).toStrictEqual(ticket);
    expect(await getPreset(db(), owner, preset.id)).toStrictEqual(preset);
  });

  it.each(UNSTORABLE)('finds nothing under the id %j', async (id) => {
    const owner = newOwner();
    expect(await getTask(db(), owner, id)).toBeUndefined();
    expect(await updateTask(db(), owner, id, { title: 'T' })).toBeUndefined();
    expect(await deleteTask(db(), owner, id)).toBe(false);
    expect(await getPreset(db(), owner, id)).toBeUndefined();
    expect(await updatePreset(db(), owner, id, { name: 'N' })).toBeUndefined();
    expect(await deletePreset(db(), owner, id)).toBe(false);
  });
}
