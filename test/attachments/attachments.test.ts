import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { VendorType } from '../../src/providers/profiles.ts';
import { startUpstream, type Upstream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// What a person attaches, in the form of each vendor.

const IMAGE = 'data:image/png;base64,aGk=';
const IMAGE_URL = 'https://files.example/a.png';
const PDF = 'data:application/pdf;base64,aGk=';
const PDF_URL = 'https://files.example/a.pdf';
const NOTE = `data:text/plain;base64,${Buffer.from('a note').toString('base64')}`;

const MODELS: Readonly<Record<VendorType, string>> = {
  anthropic: 'claude-sonnet-5',
  openai: 'gpt-4o',
  azure: 'gpt-4o',
  google: 'gemini-3.8-flash',
  groq: 'm',
  xai: 'grok-4.6',
  mistral: 'm',
  deepseek: 'm',
  together: 'm',
  fireworks: 'm',
  cerebras: 'm',
  openrouter: 'm',
  cohere: 'm',
  perplexity: 'm',
  ollama: 'm',
};

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer({ ...upstream.environment(...Object.keys(MODELS)), PROFCLAW_BODY_LIMIT: '100000000' });
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});
beforeEach(() => upstream.reset());

type Part = { type: 'image'; image: string } | { type: 'file'; file: string; filename?: string };
const image = (url = IMAGE): Part => ({ type: 'image', image: url });
const file = (url = PDF): Part => ({ type: 'file', file: url, filename: 'a.pdf' });
const inline = (mediaType: string, bytes: number): string =>
  `data:${mediaType};base64,${Buffer.alloc(bytes).toString('base64')}`;

function ask(model: string, ...parts: Part[]): Promise<{ status: number; body: Json }> {
  const content = [{ type: 'text', text: 'Look:' }, ...parts];
  // The largest bodies stop this process for seconds, in which the server lets a kept connection go.
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return server.call('/api/chat/completions', { model, messages: [{ role: 'user', content }] }, { headers });
}

/** What the vendor was sent of the user's message, without the text before it. */
async function sent(type: VendorType, part: Part, model: string = MODELS[type]): Promise<unknown> {
  const { status, body } = await ask(`${type}/${model}`, part);
  if (status !== 200) return { refused: body.code, says: body.error };
  const { messages, contents, input } = upstream.sent.at(-1)?.body ?? {};
  const message = (messages ?? contents ?? input).at(-1);
  if (message.images) return { images: message.images };
  const content = message.content ?? message.parts;
  return typeof content === 'string' ? content : content.slice(1);
}

const imageUrl = (url: string): unknown => [{ type: 'image_url', image_url: { url } }];
const asText = 'Look:\n\na.pdf:\n\na note';
const noFiles = { refused: 'invalid_request', says: expect.stringMatching(/takes no files other than inline text/) };
const chat = { image: imageUrl(IMAGE), link: imageUrl(IMAGE_URL), file: noFiles, note: asText };
const openai = { ...chat, file: [{ type: 'file', file: { filename: 'a.pdf', file_data: PDF } }] };

const FORMS: Readonly<Record<VendorType, { image: unknown; link: unknown; file: unknown; note: unknown }>> = {
  anthropic: {
    image: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }],
    link: [{ type: 'image', source: { type: 'url', url: IMAGE_URL } }],
    file: [
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
        title: 'a.pdf',
      },
    ],
    note: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a note' }, title: 'a.pdf' }],
  },
  openai,
  azure: openai,
  google: {
    image: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }],
    link: [{ fileData: expect.objectContaining({ fileUri: IMAGE_URL }) }],
    file: [{ inlineData: { mimeType: 'application/pdf', data: 'aGk=' } }],
    note: [{ inlineData: { mimeType: 'text/plain', data: expect.any(String) } }],
  },
  groq: chat,
  xai: {
    image: [{ type: 'input_image', image_url: IMAGE }],
    link: [{ type: 'input_image', image_url: IMAGE_URL }],
    file: { refused: 'invalid_request', says: expect.stringMatching(/files as a URL, and inline only as text/) },
    note: asText,
  },
  mistral: { ...chat, file: [{ type: 'document_url', document_url: PDF, document_name: 'a.pdf' }] },
  deepseek: {
    ...chat,
    image: { refused: 'invalid_request', says: expect.stringMatching(/DeepSeek takes no images/) },
    link: { refused: 'invalid_request', says: expect.stringMatching(/DeepSeek takes no images/) },
  },
  together: chat,
  fireworks: chat,
  cerebras: chat,
  openrouter: openai,
  cohere: { ...chat, file: { refused: 'invalid_request', says: expect.stringMatching(/takes no files other than/) } },
  perplexity: { ...chat, file: [{ type: 'file_url', file_url: { url: 'aGk=' }, file_name: 'a.pdf' }] },
  ollama: {
    image: { images: ['aGk='] },
    link: { refused: 'invalid_request', says: expect.stringMatching(/base64 data only/) },
    file: { refused: 'invalid_request', says: expect.stringMatching(/takes no files other than/) },
    note: asText,
  },
};

describe.each(Object.keys(FORMS) as VendorType[])('%s', (type) => {
  const form = FORMS[type];

  it('an image', async () => expect(await sent(type, image())).toEqual(form.image));
  it('a linked image', async () => expect(await sent(type, image(IMAGE_URL))).toEqual(form.link));
  it('a file', async () => expect(await sent(type, file())).toEqual(form.file));
  it('a text file', async () => expect(await sent(type, file(NOTE))).toEqual(form.note));
});

describe('linked files', () => {
  it.each<[VendorType, unknown]>([
    ['anthropic', [{ type: 'document', source: { type: 'url', url: PDF_URL }, title: 'a.pdf' }]],
    ['google', [{ fileData: expect.objectContaining({ fileUri: PDF_URL }) }]],
    ['mistral', [{ type: 'document_url', document_url: PDF_URL, document_name: 'a.pdf' }]],
    ['openrouter', [{ type: 'file', file: { filename: 'a.pdf', file_data: PDF_URL } }]],
    ['perplexity', [{ type: 'file_url', file_url: { url: PDF_URL }, file_name: 'a.pdf' }]],
    ['openai', { refused: 'invalid_request', says: expect.stringMatching(/as data, not as a URL/) }],
    ['groq', noFiles],
  ])('%s', async (type, form) => expect(await sent(type, file(PDF_URL))).toEqual(form));

  it('openai, on its other wire', async () => {
    expect(await sent('openai', file(PDF_URL), 'gpt-5.5')).toEqual([{ type: 'input_file', file_url: PDF_URL }]);
    const inlined = [{ type: 'input_file', filename: 'a.pdf', file_data: PDF }];
    expect(await sent('openai', file(), 'gpt-5.5')).toEqual(inlined);
  });
});

describe('limits come first: nothing is sent', () => {
  const MIB = 1024 ** 2;
  it.each<[VendorType, Part[], RegExp]>([
    [
      'anthropic',
      [image(inline('image/png', 4 * MIB))],
      /an image of 4,194,304 bytes; Anthropic takes at most 3,932,160/,
    ],
    ['anthropic', [image(inline('image/bmp', 1))], /image\/bmp; Anthropic takes image\/png, image\/jpeg/],
    ['anthropic', [file(inline('application/zip', 1))], /"a\.pdf" of type application\/zip; .* text, application\/pdf/],
    ['groq', [file('data:text/plain;base64,//79')], /"a\.pdf" of type text\/plain is not in UTF-8/],
    ['groq', Array.from({ length: 6 }, () => image()), /6 images; Groq takes at most 5/],
    ['xai', [image(inline('image/gif', 1))], /image\/gif; xAI takes image\/png, image\/jpeg/],
    ['mistral', [image(inline('image/png', 11 * MIB))], /11,534,336 bytes; Mistral takes at most 10,485,760/],
    [
      'perplexity',
      [file(inline('application/pdf', 51 * MIB))],
      /"a\.pdf" of 53,477,376 bytes; Perplexity takes at most 52,428,800/,
    ],
  ])('%s: %#', async (type, parts, words) => {
    const { status, body } = await ask(`${type}/${MODELS[type]}`, ...parts);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.error).toMatch(words);
    expect(upstream.sent).toEqual([]);
  });

  it('names every problem at once', async () => {
    const { body } = await ask(
      'groq/m',
      image(inline('image/png', 5 * MIB)),
      ...Array.from({ length: 5 }, () => image()),
    );
    expect(body.details.issues).toHaveLength(2);
  });
});
