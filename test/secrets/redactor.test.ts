import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hide, hideInLogs, inErrors, inLogs, Redactor } from '../../src/core/redactor.ts';
import { AppError, InvalidRequestError } from '../../src/errors.ts';
import { secretsOf } from '../../src/providers/settings/endpoint.ts';
import { formsOf } from './forms.ts';

/** Its base64 has `+` and `/`, with and without a colon before it. */
const KEY = 'sk-live+ab/cd==0123456789~~~???>>>~~~';

function knowing(...values: string[]): Redactor {
  const redactor = new Redactor();
  redactor.set('here', values);
  return redactor;
}

describe('a secret is struck out', () => {
  it.each(Object.entries(formsOf(KEY)))('%s', (_, form) => {
    const clean = knowing(KEY).redact(`before ${form} after`);
    expect(clean).toMatch(/^before .*\[secret\].* after$/);
    expect(clean.length).toBeLessThan(50);
  });

  it.each(Object.entries(formsOf('-----BEGIN\n"key"\\\té ☃ 🦀-----')))('with any characters, %s', (_, form) => {
    const clean = knowing('-----BEGIN\n"key"\\\té ☃ 🦀-----').redact(`before ${form} after`);
    expect(clean).toMatch(/^before .*\[secret\].* after$/);
    expect(clean.length).toBeLessThan(50);
  });

  it('as often as it is there, side by side too', () => {
    expect(knowing(KEY, 'other-secret').redact(`${KEY}${KEY} other-secret${KEY}`)).toBe(
      '[secret][secret] [secret][secret]',
    );
  });

  it('whole, where it has a shorter one in it', () => {
    const redactor = knowing('abcdefgh', 'abcdefgh-and-more', 'with-abcdefgh-inside');
    expect(redactor.redact('abcdefgh-and-more, with-abcdefgh-inside, abcdefgh')).toBe('[secret], [secret], [secret]');
  });

  it('also right after something that begins like it', () => {
    expect(knowing('aaaaaaaab').redact('aaaaaaaaaab')).toBe('aa[secret]');
  });

  it('also one of another place, and one that was in force before', () => {
    const redactor = knowing('the-first-key');
    redactor.set('there', ['the-other-key']);
    redactor.set('here', ['the-second-key']);
    redactor.set('there', []);
    expect(redactor.redact('the-first-key the-other-key the-second-key')).toBe('[secret] [secret] [secret]');
  });

  it('also when others have been looked for already', () => {
    const redactor = knowing('the-first-key');
    expect(redactor.redact('the-second-key')).toBe('the-second-key');
    redactor.set('here', ['the-second-key']);
    expect(redactor.redact('the-second-key')).toBe('[secret]');
  });
});

describe('in a text that comes in pieces', () => {
  /** What comes out, and at what most is held back on the way. */
  function inPieces(redactor: Redactor, pieces: readonly string[]): { clean: string; held: number } {
    let [clean, rest, held] = ['', '', 0];
    for (const piece of pieces) {
      const next = redactor.redactPiece(rest + piece);
      clean += next.clean;
      rest = next.rest;
      held = Math.max(held, rest.length);
    }
    return { clean: clean + redactor.redact(rest), held };
  }

  it.each(Object.entries(formsOf(KEY)))('it is struck out wherever that is cut: %s', (_, form) => {
    const [redactor, text] = [knowing(KEY), `before ${form} after`];
    for (let at = 0; at <= text.length; at++) {
      const { clean } = inPieces(redactor, [text.slice(0, at), text.slice(at)]);
      expect(clean).toBe(redactor.redact(text));
    }
    expect(inPieces(redactor, [...text]).clean).toBe(redactor.redact(text));
  });

  it('nothing is held back but what a secret begins with', () => {
    const redactor = knowing(KEY);
    expect(redactor.redactPiece('nothing of it')).toEqual({ clean: 'nothing of it', rest: '' });
    expect(redactor.redactPiece(`x ${KEY} sk-live`)).toEqual({ clean: 'x [secret] ', rest: 'sk-live' });
    expect(redactor.redactPiece('sk-live no')).toEqual({ clean: 'sk-live no', rest: '' });
    expect(inPieces(redactor, ['nothing', ' of ', 'it']).held).toBe(0);
  });

  it('comes out as the whole would, whatever it is', () => {
    const values = ['abcdefgh', 'abcdefgh-and-more', 'with-abcdefgh-inside', 'aaaaaaaab', KEY];
    const redactor = knowing(...values);
    const some = fc.oneof(
      fc.constantFrom(...values, 'a', 'ab', 'abcd', 'efgh', '-and', '-more', 'with-', 'aaaa', 'sk-live'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 8 }), (parts, cuts) => {
        const text = parts.join('');
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((to, i) => text.slice(places[i], to));
        expect(inPieces(redactor, pieces).clean).toBe(redactor.redact(text));
      }),
      { numRuns: 2000 },
    );
  });
});

it('leaves what has no secret as it is', () => {
  const text = `{"ordinary":"sk-live+ab/cd==012345678","half":"${KEY.slice(0, -1)}"}`;
  for (const redactor of [knowing(KEY), new Redactor(), knowing()]) {
    expect(redactor.redact(text)).toBe(text);
    expect(redactor.redactLine(`${text}\n`)).toBe(`${text}\n`);
  }
});

it('leaves values of fewer than eight characters', () => {
  expect(knowing('message', 'messages').redact('message messages')).toBe('message [secret]');
});

it('knows no secret in the names by which a caller introduces itself', () => {
  const headers = { 'X-Title': 'profclaw', 'http-referer': 'https://profclaw.example', accept: 'application/json' };
  expect(secretsOf({ headers })).toEqual([]);
  expect(secretsOf({ headers: { ...headers, 'x-token': 'profclaw' } })).toEqual(['profclaw']);
});

it('keeps no more than a thousand values of a place: all in force, and of the others the newest', () => {
  const redactor = new Redactor();
  const name = (i: number): string => `secret-${i}-end`;
  for (let i = 0; i < 1200; i++) redactor.set('here', [name(i), 'always-in-force']);
  const isStruck = (i: number): boolean => redactor.redact(name(i)) === '[secret]';
  expect([isStruck(1199), isStruck(201), isStruck(200), isStruck(0)]).toEqual([true, true, false, false]);
  expect(redactor.redact('always-in-force')).toBe('[secret]');
});

it('takes secrets of any size and number', () => {
  const long = Array.from({ length: 200 }, (_, i) => `${i}-`.padEnd(8192, 'x'));
  expect(knowing(...long).redact(`a ${long[7]} b`)).toBe('a [secret] b');
});

describe('a line of JSON', () => {
  const secret = fc.oneof(
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, maxLength: 40, unit: 'binary' }),
    fc.stringMatching(/^[0-9]{8,12}$/),
    fc.constantFrom('","level":30,"', 'n0123456789', '\\\\\\\\\\\\\\\\', '"}\n{"a":"b"}', '\\u00e9\\u00e9'),
  );

  it('stays one, and has no secret in any form', () => {
    const form = fc.constantFrom(...Object.keys(formsOf('')));
    const property = fc.property(secret, form, fc.string(), fc.string(), fc.integer(), (value, name, a, b, number) => {
      const redactor = knowing(value);
      const text = `${a}${formsOf(value)[name]}${b}`;
      const line = `${JSON.stringify({ level: 50, number, [text]: 1, msg: text, err: { cause: [{ text }] } })}\n`;
      const clean = redactor.redactLine(line);
      expect(clean.endsWith('}\n')).toBe(true);
      expect(clean.indexOf('\n')).toBe(clean.length - 1);
      const parsed = JSON.parse(clean);
      expect(parsed).toMatchObject({ level: 50, number, msg: redactor.redact(text) });
      expect(parsed.err).toEqual({ cause: [{ text: redactor.redact(text) }] });
      // Around the mark, something that is the secret may be left only if it was put together by the cutting.
      for (const piece of redactor.redact(text).split('[secret]')) expect(piece.includes(value)).toBe(false);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('that has no secret is the same to the letter', () => {
    const line = '{"a": 1.0,"a":2, "msg":"caf\\u00e9"}\n';
    expect(knowing(KEY).redactLine(line)).toBe(line);
  });

  it('that is none is struck out of all the same', () => {
    expect(knowing(KEY).redactLine(`{"broken": "${KEY}`)).toBe('{"broken": "[secret]');
  });
});

describe('an error', () => {
  it('has no secret in its message, stack and details from the beginning', () => {
    hide('a test', [KEY]);
    const error = new AppError('provider_rejected', `No: ${KEY}`, {
      details: { attempts: [{ error: `bad ${KEY}`, duration: 3, code: null }], [KEY]: true },
    });
    expect(error.message).toBe('No: [secret]');
    expect(error.stack).not.toContain(KEY);
    expect(error.details).toEqual({ attempts: [{ error: 'bad [secret]', duration: 3, code: null }], '[secret]': true });
    expect(new InvalidRequestError([{ path: KEY, message: KEY }]).message).not.toContain(KEY);
  });

  it('does not tell a caller that he has guessed what a person has chosen', () => {
    hideInLogs('a door', ['open-sesame']);
    expect(new AppError('not_found', 'There is no open-sesame').message).toBe('There is no open-sesame');
    expect(inErrors.redact('open-sesame')).toBe('open-sesame');
    expect(inLogs.redact('open-sesame')).toBe('[secret]');
  });
});
