import { InvalidRequestError } from '../../errors.ts';
import type { FilePart } from '../chat-model.ts';

const TEXT_TYPE = /^(text\/|application\/(json|xml|yaml|x-yaml|toml|javascript|x-sh)\b)/;

/** Is this an inline file of text? */
export function isText({ media }: FilePart): boolean {
  return 'mediaType' in media && TEXT_TYPE.test(media.mediaType);
}

/**
 * The text of an inline file, for wires that carry text but no files; undefined if it is not text.
 * @throws InvalidRequestError if it says that it is text, but is not in UTF-8.
 */
export function fileText(part: FilePart): string | undefined {
  if (!isText(part) || 'url' in part.media) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part.media.data, 'base64'));
  } catch {
    const name = part.filename === undefined ? 'a file' : `the file ${JSON.stringify(part.filename)}`;
    const message = `${name} of type ${part.media.mediaType} is not in UTF-8`;
    throw refusedPart(message);
  }
}

/** A file for a wire that carries text only. @throws InvalidRequestError if it is not inline text. */
export function requireText(part: FilePart): string {
  const text = fileText(part);
  if (text === undefined) throw refusedPart('this provider takes no files other than inline text');
  return titledText(part, text);
}

/** What to throw for a part of a message that cannot be carried. */
export function refusedPart(message: string): InvalidRequestError {
  return new InvalidRequestError([{ path: 'messages', message }]);
}

/** A file's text with its name above it, to stand beside what the person wrote. */
export function titledText(part: FilePart, text: string): string {
  return part.filename === undefined ? text : `${part.filename}:\n\n${text}`;
}
