import { describe, expect, it } from 'vitest';
import type { Message, UserPart } from '../chat-model.ts';
import { type AttachmentLimits, checkAttachments } from './attachments.ts';

const image = (bytes: number, mediaType = 'image/png'): UserPart => ({
  type: 'image',
  media: { mediaType, data: Buffer.alloc(bytes).toString('base64') },
});
const file = (bytes: number, filename?: string): UserPart => ({
  type: 'file',
  media: { mediaType: 'application/pdf', data: Buffer.alloc(bytes).toString('base64') },
  ...(filename === undefined ? {} : { filename }),
});
const check = (limits: AttachmentLimits, ...parts: UserPart[]): (() => void) => {
  const messages: Message[] = [{ role: 'user', parts }];
  return () => checkAttachments(messages, limits, 'Acme');
};
const MB = 1024 ** 2;

describe('checkAttachments', () => {
  it.each([4, 5, 6])('counts decoded bytes exactly (%i)', (bytes) => {
    expect(check({ maxImageBytes: bytes }, image(bytes))).not.toThrow();
    expect(check({ maxImageBytes: bytes - 1 }, image(bytes))).toThrow(/an image of .* Acme takes at most/);
  });

  it('names every problem at once', () => {
    const limits = { maxImages: 2, maxImageBytes: MB, imageTypes: ['image/png'], maxFileBytes: 2 * MB };
    const parts = [image(2 * MB), image(1, 'image/tiff'), image(1), file(3 * MB, 'a.pdf'), file(1)];
    expect(check(limits, ...parts)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: {
          issues: [
            { path: 'messages', message: 'an image of 2,097,152 bytes; Acme takes at most 1,048,576' },
            { path: 'messages', message: 'an image of type image/tiff; Acme takes image/png' },
            { path: 'messages', message: 'the file "a.pdf" of 3,145,728 bytes; Acme takes at most 2,097,152' },
            { path: 'messages', message: '3 images; Acme takes at most 2 in a request' },
          ],
        },
      }),
    );
  });

  it('lets a URL pass, whose bytes nobody here knows, and everything where no limit is known', () => {
    const linked: UserPart = { type: 'image', media: { url: 'https://x.test/a.tiff' } };
    expect(check({ maxImageBytes: 1, imageTypes: [] }, linked)).not.toThrow();
    expect(check({}, image(MB), file(MB))).not.toThrow();
  });

  it('refuses images where there are none, linked ones too', () => {
    const linked: UserPart = { type: 'image', media: { url: 'https://x.test/a.png' } };
    expect(check({ images: false }, linked)).toThrow(/Acme takes no images/);
    expect(check({ images: false }, { type: 'text', text: 'hi' })).not.toThrow();
  });
});
