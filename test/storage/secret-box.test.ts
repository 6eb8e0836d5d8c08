import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { open, seal } from '../../src/storage/secret-box.ts';

const key = randomBytes(32);
const context = 'provider:openai';
const REFUSED = /cannot be decrypted with this key/;

describe('secret-box', () => {
  it('gives back what was sealed', () => {
    for (const text of ['', 'sk-123', '{"apiKey":"ü👩‍👧"}', 'a\0b', 'x'.repeat(100_000)]) {
      expect(open(seal(text, key, context), key, context)).toBe(text);
    }
  });

  it('shows nothing of the text and seals it differently each time', () => {
    const sealed = Array.from({ length: 100 }, () => seal('sk-secret-value', key, context));
    expect(new Set(sealed).size).toBe(100);
    expect(new Set(sealed.map((text) => text.slice(3, 19))).size).toBe(100);
    for (const text of sealed) {
      expect(text).toMatch(/^v1\.[\w-]+$/);
      expect(Buffer.from(text.slice(3), 'base64url').toString('latin1')).not.toContain('secret');
    }
  });

  it('refuses another key or another context', () => {
    const sealed = seal('sk-123', key, context);
    expect(() => open(sealed, randomBytes(32), context)).toThrow(REFUSED);
    for (const other of ['', 'provider:groq', 'provider:openai '])
      expect(() => open(sealed, key, other)).toThrow(REFUSED);
  });

  it('refuses every flipped bit of the sealed text', () => {
    // Lengths whose base64 ends with 0, 2 and 4 unused bits.
    for (const text of ['ab', 'abc', 'abcd']) {
      const sealed = Buffer.from(seal(text, key, context), 'latin1');
      for (let i = 0; i < sealed.length; i++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = Buffer.from(sealed);
          flipped[i] = flipped[i]! ^ (1 << bit);
          expect(() => open(flipped.toString('latin1'), key, context), `byte ${i} bit ${bit}`).toThrow(REFUSED);
        }
      }
    }
  });

  it('refuses every flipped byte of nonce, ciphertext and tag', () => {
    const bytes = Buffer.from(seal('sk-123', key, context).slice(3), 'base64url');
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i] = flipped[i]! ^ 0xff;
      expect(() => open(`v1.${flipped.toString('base64url')}`, key, context)).toThrow(REFUSED);
    }
  });

  it('refuses what was shortened, lengthened or is something else', () => {
    const sealed = seal('sk-123', key, context);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(sealed.slice(0, length), key, context)).toThrow(REFUSED);
    }
    for (const text of [
      `${sealed}A`,
      `${sealed}=`,
      `${sealed}.x`,
      ` ${sealed}`,
      sealed.replace('v1', 'v2'),
      'sk-123',
    ]) {
      expect(() => open(text, key, context)).toThrow(REFUSED);
    }
  });

  it('keeps the content out of its errors', () => {
    const sealed = seal('sk-123', key, context);
    try {
      open(sealed, randomBytes(32), context);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain(context);
      expect(String(error)).not.toContain(sealed.slice(3));
    }
  });

  it('takes keys of 32 bytes only', () => {
    expect(() => seal('x', randomBytes(16), context)).toThrow(/key/i);
  });
});
