import { isBase64 } from '../core/base64.ts';
import type { Media, UserPart } from '../providers/chat-model.ts';

/** A piece of what a user sends; `image` and `file` are a data URL with base64, or an https URL. */
export type ContentPart =
  | { type: 'text'; text: string }
  | { type: 'image'; image: string }
  | { type: 'file'; file: string; filename?: string | undefined };

/** Characters of a data URL before its data. */
const MAX_HEAD = 1000;

/** What a user sends. */
export type Content = string | ContentPart[];

/** Brings validated content into the form that the wires lower from. */
export function toUserParts(content: Content): UserPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part): UserPart => {
    if (part.type === 'text') return part;
    if (part.type === 'image') return { type: 'image', media: readMedia(part.image) as Media };
    return {
      type: 'file',
      media: readMedia(part.file) as Media,
      ...(part.filename === undefined ? {} : { filename: part.filename }),
    };
  });
}

/** The way back. */
export function fromUserParts(parts: readonly UserPart[]): Content {
  const [first] = parts;
  if (parts.length === 1 && first?.type === 'text') return first.text;
  return parts.map((part): ContentPart => {
    if (part.type === 'text') return part;
    const url = 'url' in part.media ? part.media.url : `data:${part.media.mediaType};base64,${part.media.data}`;
    if (part.type === 'image') return { type: 'image', image: url };
    return { type: 'file', file: url, ...(part.filename === undefined ? {} : { filename: part.filename }) };
  });
}

/** The text of content, without pictures and files. */
export function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n');
}

/** Reads a data URL with base64 or an https URL; undefined if it is neither. */
export function readMedia(url: string): Media | undefined {
  const comma = url.indexOf(',');
  const [, mediaType] =
    /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64$/.exec(url.slice(0, Math.min(comma, MAX_HEAD))) ?? [];
  if (mediaType !== undefined) {
    const data = url.slice(comma + 1);
    return isBase64(data) ? { mediaType, data } : undefined;
  }
  return url.startsWith('https://') && URL.canParse(url) ? { url } : undefined;
}
