import { describe, expect, it } from 'vitest';
import type { ChatRequest, FilePart, ImagePart, Message } from '../chat-model.ts';
import { PROFILES, type VendorType } from '../profiles.ts';
import { fitResultMedia } from './fit-result-media.ts';
import { PROTOCOLS } from './wires.ts';

const image = (mediaType = 'image/png', data = 'AAAA'): ImagePart => ({ type: 'image', media: { data, mediaType } });
const PDF: FilePart = { type: 'file', media: { data: 'JVBERg==', mediaType: 'application/pdf' } };
const result = (text: string, ...media: (ImagePart | FilePart)[]): Message => ({
  ...{ role: 'tool', toolCallId: text, toolName: 'look', text },
  ...(media.length > 0 ? { media } : {}),
});
const says = (...parts: ImagePart[]): Message => ({ role: 'user', parts: [{ type: 'text', text: 'Look' }, ...parts] });

function fitting(type: VendorType, ...messages: Message[]): { messages: Message[]; warnings: string[] } {
  const warnings: string[] = [];
  const request: ChatRequest = {
    ...{ model: 'a-model', tools: [], toolChoice: undefined, temperature: undefined, maxTokens: 9, stream: false },
    messages,
  };
  const profile = PROFILES[type];
  return { messages: fitResultMedia(request, profile, PROTOCOLS[profile.wire], warnings), warnings };
}

describe('pictures and documents of results', () => {
  it('stay where they are taken', () => {
    const all = [says(), result('a', image(), PDF), says()];
    expect(fitting('anthropic', ...all)).toEqual({ messages: all, warnings: [] });
  });

  it('a vendor without pictures is told that there was one, and the caller too', () => {
    const all = [says(), result('a', image(), image()), result('', image()), result('c')];
    const note = '[A picture was left out here: DeepSeek takes no images]';
    expect(fitting('deepseek', ...all)).toEqual({
      messages: [says(), { ...result('a'), text: `a\n${note}\n${note}` }, { ...result(''), text: note }, result('c')],
      warnings: ['messages: DeepSeek takes no images; left out 3 of what tools gave'],
    });
  });

  it('only what does not fit goes: types, sizes, and what the wire itself refuses', () => {
    const { messages, warnings } = fitting('xai', says(), result('a', image('image/webp'), image(), PDF));
    expect(messages[1]).toMatchObject({ media: [image()] });
    expect(warnings.map((warning) => warning.split(';')[0]).toSorted()).toEqual([
      'messages: an image of type image/webp',
      'messages: this provider takes no files other than inline text',
    ]);
    const large = image('image/png', 'A'.repeat(6_000_000));
    expect(fitting('groq', result('a', large)).warnings).toEqual([
      expect.stringMatching(/an image of 4,500,000 bytes/),
    ]);
    const linked: ImagePart = { type: 'image', media: { url: 'https://x.test/a.png' } };
    expect(fitting('ollama', result('a', linked)).warnings).toEqual([expect.stringMatching(/base64 data only/)]);
  });

  it('of too many the latest stay, after those that people sent', () => {
    // Groq takes five.
    const all = [
      says(image(), image()),
      result('a', image('image/png', 'BBBB'), image()),
      result('b', image(), image()),
    ];
    const { messages, warnings } = fitting('groq', ...all);
    expect(messages[1]).toMatchObject({ media: [image()], text: expect.stringContaining('at most 5 images') });
    expect(messages[2]).toEqual(all[2]);
    expect(warnings).toEqual(['messages: Groq takes at most 5 images in a request; left out 1 of what tools gave']);
  });
});
