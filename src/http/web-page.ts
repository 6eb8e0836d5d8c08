import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Page } from './page.ts';

/** What the page may do: run its own script and style, and ask this server. Nothing that a model writes loads anything. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Compressed forms beside the files, the smaller first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** The page's files as `scripts/build.ts` leaves them. Only what was there at the start is served. */
export class WebPage {
  readonly #folder: string;
  readonly #names: ReadonlySet<string>;

  constructor(folder: string) {
    this.#folder = folder;
    this.#names = new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }));
  }

  /**
   * A file in the smallest form that the caller takes.
   * @param name such as `index.html` or `assets/index-abc.js`. @returns undefined if there is none
   */
  async file(name: string, acceptEncoding: string): Promise<Page<Uint8Array> | undefined> {
    const type = TYPES[extname(name)];
    if (type === undefined || !this.#names.has(name)) return undefined;
    const accepted = acceptEncoding.split(',').flatMap((one) => {
      const [encoding, quality = ''] = one.split(';').map((part) => part.trim());
      return /^q=0(\.0*)?$/.test(quality) ? [] : [encoding];
    });
    const found = ENCODINGS.find(([encoding, end]) => accepted.includes(encoding) && this.#names.has(name + end));
    const [encoding, end] = found ?? [undefined, ''];
    return new Page(await readFile(join(this.#folder, name + end)), {
      'content-type': type,
      'content-security-policy': POLICY,
      vary: 'accept-encoding',
      // The names of assets change with what is in them.
      'cache-control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    });
  }
}

/** @returns undefined if the page was not built there. */
export function openWebPage(folder: string | undefined): WebPage | undefined {
  return folder !== undefined && existsSync(join(folder, 'index.html')) ? new WebPage(folder) : undefined;
}
