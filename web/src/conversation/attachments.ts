import type { MessageContent } from '../../../src/client/run-events.ts';
import { randomId } from '../runs/random-id.ts';

/** A picture or file that goes with a message. */
export interface Attachment {
  id: string;
  kind: 'image' | 'file';
  name: string;
  /** Bytes. */
  size: number;
  /** The whole of it, as a data URL. */
  url: string;
}

/** Bytes of all attachments of a message together: as base64 they are a third more, and the server takes 10 MiB. */
const MOST_BYTES = 7_000_000;

const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const TEXT_NAME =
  /\.(txt|md|markdown|csv|tsv|json|jsonl|ya?ml|toml|xml|html?|css|[cm]?[jt]sx?|py|rb|rs|go|java|kt|c|h|cc|cpp|hpp|cs|php|sh|sql|log|ini|conf|diff|patch|tex|vue|svelte|swift|lua|r|pl)$/i;

/** What of some files can be attached, and what has to be said of the rest. @param used bytes that are attached already */
export async function readFiles(
  files: readonly File[],
  used: number,
): Promise<{ attachments: Attachment[]; problems: string[] }> {
  const attachments: Attachment[] = [];
  const problems: string[] = [];
  let bytes = used;
  for (const file of files) {
    const type = typeOf(file);
    if (type === undefined) {
      problems.push(`${file.name} was not attached: only pictures, PDF and text files can be.`);
    } else if (file.size === 0) {
      problems.push(`${file.name} was not attached: it is empty.`);
    } else if (bytes + file.size > MOST_BYTES) {
      problems.push(`${file.name} was not attached: all files together may have 7 MB at most.`);
    } else {
      bytes += file.size;
      const url = await dataUrl(file, type);
      const kind = type.startsWith('image/') ? 'image' : 'file';
      attachments.push({ id: randomId(), kind, name: file.name, size: file.size, url });
    }
  }
  return { attachments, problems };
}

/** A message of text and attachments. */
export function contentOf(text: string, attachments: readonly Attachment[]): MessageContent {
  if (attachments.length === 0) return text;
  const media = attachments.map(({ kind, name, url }) =>
    kind === 'image'
      ? { type: 'image' as const, image: url }
      : { type: 'file' as const, file: url, filename: name.slice(0, 255) },
  );
  return text.trim() === '' ? media : [...media, { type: 'text', text }];
}

/** The other way round: a message to be written again. */
export function draftOf(content: MessageContent): { text: string; attachments: Attachment[] } {
  if (typeof content === 'string') return { text: content, attachments: [] };
  const text = content.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n');
  const attachments = content.flatMap((part): Attachment[] => {
    if (part.type === 'text') return [];
    const url = part.type === 'image' ? part.image : part.file;
    const name = (part.type === 'file' && part.filename) || (part.type === 'image' ? 'Picture' : 'File');
    return [{ id: randomId(), kind: part.type, name, size: sizeOf(url), url }];
  });
  return { text, attachments };
}

function sizeOf(url: string): number {
  if (!url.startsWith('data:')) return 0;
  const base64 = url.slice(url.indexOf(',') + 1).replace(/=+$/, '');
  return Math.floor((base64.length * 3) / 4);
}

function typeOf({ type, name }: File): string | undefined {
  if (IMAGES.includes(type) || type === 'application/pdf') return type;
  if (type.startsWith('text/') || type === 'application/json' || TEXT_NAME.test(name)) return 'text/plain';
  return undefined;
}

function dataUrl(file: File, type: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const reader = new FileReader();
  reader.onload = () => resolve(`${reader.result}`);
  reader.onerror = () => reject(reader.error ?? new Error(`${file.name} cannot be read`));
  reader.readAsDataURL(new Blob([file], { type }));
  return promise;
}
