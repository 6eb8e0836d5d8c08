import type { JsonObject } from '../../core/json.ts';
import type { FilePart, UserPart } from '../chat-model.ts';
import type { FileForm } from '../profiles.ts';
import { mediaUrl } from './media.ts';
import { fileText, refusedPart, requireText, titledText } from './text-file.ts';

/**
 * What a person said, in the form of Chat Completions: plain text if there is nothing else. Text files go as text.
 * @param files how the vendor takes other files; undefined: not at all.
 * @throws InvalidRequestError for a file that the vendor does not take.
 */
export function lowerUser(parts: readonly UserPart[], files: FileForm | undefined): string | JsonObject[] {
  const lowered = parts.map((part): JsonObject => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'image') return { type: 'image_url', image_url: { url: mediaUrl(part.media) } };
    if (files === undefined) return { type: 'text', text: requireText(part) };
    const text = fileText(part);
    return text === undefined ? lowerFile(part, files) : { type: 'text', text: titledText(part, text) };
  });
  return lowered.every((part) => part.type === 'text') ? lowered.map((part) => part.text).join('\n\n') : lowered;
}

function lowerFile({ media, filename }: FilePart, files: FileForm): JsonObject {
  const isLink = 'url' in media;
  switch (files) {
    case 'file':
      if (isLink) throw refusedPart('files go to this provider as data, not as a URL');
      return { type: 'file', file: { filename: filename ?? 'file', file_data: mediaUrl(media) } };
    // https://openrouter.ai/docs/features/multimodal/pdfs
    case 'file-or-link':
      return { type: 'file', file: { filename: filename ?? 'file', file_data: mediaUrl(media) } };
    // https://docs.mistral.ai/capabilities/document_ai/document_qna
    case 'document_url':
      return { type: 'document_url', document_url: mediaUrl(media), ...(filename ? { document_name: filename } : {}) };
    // https://docs.perplexity.ai/guides/file-attachments: base64 without a prefix.
    case 'file_url':
      return { type: 'file_url', file_url: { url: isLink ? media.url : media.data }, file_name: filename ?? 'file' };
  }
}
