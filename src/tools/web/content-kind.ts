/** What the content of an answer is, as far as it can be shown. */
export type ContentKind = 'html' | 'text' | 'binary';

const TEXTS =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|x-javascript|yaml|x-yaml|toml|x-ndjson|graphql|x-sh|sql|rtf)$|[^/]+\/[^/]+\+(?:json|xml|yaml)$)/;

/** The type without its parameters, in lower case; '' if the header names none. */
export function essenceOf(contentType: string): string {
  return /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)/.exec(contentType)?.[1]?.toLowerCase() ?? '';
}

/** What a type says of the content; undefined: that has to be seen. */
export function kindOfType(essence: string): ContentKind | undefined {
  if (essence === 'text/html' || essence === 'application/xhtml+xml') return 'html';
  if (TEXTS.test(essence)) return 'text';
  return essence === '' || essence === 'application/octet-stream' ? undefined : 'binary';
}

/** What the content itself says. */
export function kindOfContent(bytes: Uint8Array): ContentKind {
  const head = bytes.subarray(0, 1024);
  if (head.includes(0)) return 'binary';
  return /^\s*(?:<!--[\s\S]*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b/i.test(Buffer.from(head).toString('latin1'))
    ? 'html'
    : 'text';
}
