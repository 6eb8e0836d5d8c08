import type { FilePart } from '../types.ts';

const TEXT_TYPE = /^(text\/|application\/(json|xml|yaml|x-yaml|toml|javascript|x-sh)\b)/;

/** The text of an inline file, for wires that carry text but no files; undefined if it is not text. */
export function fileText(part: FilePart): string | undefined {
  if ('url' in part.media || !TEXT_TYPE.test(part.media.mediaType)) return undefined;
  return Buffer.from(part.media.data, 'base64').toString('utf8');
}

/** A file's text with its name above it, to stand beside what the person wrote. */
export function titledText(part: FilePart, text: string): string {
  return part.filename === undefined ? text : `${part.filename}:\n\n${text}`;
}
