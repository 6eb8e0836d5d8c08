import { InvalidRequestError, type Issue } from '../../errors.ts';
import type { FilePart, ImagePart, Media, Message } from '../chat-model.ts';
import { isText } from '../protocols/text-file.ts';

/** What a vendor takes of images and files, by its own documentation. Absent: no limit is known. */
export interface AttachmentLimits {
  /** False: none at all. */
  images?: false;
  /** Media types of inline images. */
  imageTypes?: readonly string[];
  /** Bytes of one inline image, decoded. */
  maxImageBytes?: number;
  /** Images of one request. */
  maxImages?: number;
  /** Media types of inline files, besides text. */
  fileTypes?: readonly string[];
  /** Bytes of one inline file, decoded. */
  maxFileBytes?: number;
}

/**
 * Checks what people send along with their messages before anything is sent. Of what tools give, what does not fit is
 * left out (`fit-result-media.ts`): nobody could send it better.
 * @param name the vendor's, for messages.
 * @throws InvalidRequestError naming everything that the vendor would refuse.
 */
export function checkAttachments(messages: readonly Message[], limits: AttachmentLimits, name: string): void {
  const issues: Issue[] = [];
  const images = imagesOf(messages);
  for (const message of messages) {
    for (const part of message.role === 'user' ? message.parts : []) {
      const problem = part.type === 'text' ? undefined : problemOf(part, limits, name);
      if (problem !== undefined) issues.push({ path: 'messages', message: problem });
    }
  }
  if (limits.images !== false && limits.maxImages !== undefined && images > limits.maxImages) {
    issues.push({
      path: 'messages',
      message: `${images} images; ${name} takes at most ${limits.maxImages} in a request`,
    });
  }
  if (issues.length > 0) throw new InvalidRequestError(issues);
}

/** How many images people send along. */
export function imagesOf(messages: readonly Message[]): number {
  const parts = messages.flatMap((message) => (message.role === 'user' ? message.parts : []));
  return parts.filter(({ type }) => type === 'image').length;
}

/** Why the vendor called `name` does not take this; undefined: nothing is known against it. */
export function problemOf(part: ImagePart | FilePart, limits: AttachmentLimits, name: string): string | undefined {
  if (part.type === 'image' && limits.images === false) return `${name} takes no images`;
  if ('url' in part.media) return undefined;
  const { mediaType } = part.media;
  const bytes = decodedBytes(part.media.data);
  const max = part.type === 'image' ? limits.maxImageBytes : limits.maxFileBytes;
  if (max !== undefined && bytes > max) {
    return `${describe(part)} of ${bytes.toLocaleString('en')} bytes; ${name} takes at most ${max.toLocaleString('en')}`;
  }
  const types = part.type === 'image' ? limits.imageTypes : limits.fileTypes;
  if (!types || types.includes(mediaType) || (part.type === 'file' && isText(part))) return undefined;
  const text = part.type === 'file' ? 'text, ' : '';
  return `${describe(part)} of type ${mediaType}; ${name} takes ${text}${types.join(', ')}`;
}

function describe(part: ImagePart | FilePart): string {
  if (part.type === 'image') return 'an image';
  return part.filename === undefined ? 'a file' : `the file ${JSON.stringify(part.filename)}`;
}

/** How many bytes a base64 text stands for. */
function decodedBytes(data: Extract<Media, { data: string }>['data']): number {
  return Math.floor((data.length * 3) / 4) - (data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0);
}
