/** How much of a page is looked at for what it says of its encoding, in bytes. */
const HEAD = 4096;

/**
 * Turns the bytes of a text into characters, by its byte order mark, by what the header says, or by what the page says
 * itself; else they are UTF-8. What cannot be read is U+FFFD.
 * @param contentType the header's value.
 */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const mark = markOf(bytes);
  return decode(bytes, mark ?? charsetOf(contentType) ?? declared(bytes) ?? 'utf-8');
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
}

function charsetOf(contentType: string): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1];
}

/** By `<meta charset>`, `<meta http-equiv>` or an XML declaration, which were read as ASCII: it cannot be UTF-16. */
function declared(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD));
  const xml = /^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]+)/i.exec(head);
  const meta = /<meta\s[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head);
  const label = (xml ?? meta)?.[1];
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label;
}

function decode(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    // There is no such encoding.
    return new TextDecoder().decode(bytes);
  }
}
