import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { guardedFetch } from '../../network/guarded-fetch.ts';
import { portOf, readHttpUrl } from '../../network/http-url.ts';
import type { Lookup } from '../../network/resolve.ts';
import { defineTool, type Tool, type ToolContext, type ToolOutcome } from '../tool.ts';
import { essenceOf, kindOfContent, kindOfType } from '../web/content-kind.ts';
import { decodeText } from '../web/decode-text.ts';
import { htmlText } from '../web/html-text.ts';
import { readBytes } from '../web/read-bytes.ts';
import { isSameSite } from '../web/same-site.ts';

const DEFAULT_CHARS = 25_000;
const MAX_CHARS = 500_000;
/** Of a page, after it is decompressed. */
const MAX_BYTES = 5 * 1024 * 1024;
const LIMIT_MS = 30_000;

const WebUrl = z
  .string()
  .max(8000)
  .describe('Begins with https:// or http://')
  .superRefine((given, { addIssue }) => {
    try {
      readHttpUrl(given);
    } catch (error) {
      addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });

/**
 * Makes the tool that reads pages of the web.
 * @param lookup who is asked for addresses; the system's resolver if it is not given.
 */
export function webFetchTool(lookup?: Lookup): Tool {
  return defineTool({
    name: 'web_fetch',
    description:
      'Reads a page of the web: HTML as text with headings, lists and links in Markdown, JSON and other text as it is. ' +
      'No scripts are run, and nothing is sent but the URL. Hosts of this machine and its own network are not reached.',
    level: 'moderate',
    effect: 'read',
    isForSandbox: false,
    input: z.strictObject({
      url: WebUrl,
      maxChars: z
        .int()
        .min(100)
        .max(MAX_CHARS)
        .default(DEFAULT_CHARS)
        .describe('Of the text; what is beyond is left out'),
    }),
    rulesOn: ['host'],
    subjects: ({ url }) => ({ urls: [url] }),
    identity: ({ url }) => ({ url }),
    run: async ({ url, maxChars }, context) => await fetchPage(readHttpUrl(url), maxChars, context, lookup),
  });
}

async function fetchPage(
  url: URL,
  maxChars: number,
  context: ToolContext,
  lookup: Lookup | undefined,
): Promise<ToolOutcome> {
  const { grant, signal } = context;
  let leadsTo: URL | undefined;
  const fetch = guardedFetch({
    hostRule: (host, port) => grant.hostRule(host, port),
    mayFollow: (from, to) => {
      if (mayFollow(from, to, context)) return true;
      leadsTo = to;
      return false;
    },
    bounds: { totalMs: LIMIT_MS, maxBytes: 2 * MAX_BYTES },
    lookup,
  });
  const accept = 'text/html, application/xhtml+xml, application/json;q=0.9, text/*;q=0.9, */*;q=0.5';
  const response = await fetch(url, { headers: { accept }, signal });
  if (leadsTo) {
    await response.body?.cancel();
    return { text: elsewhere(response, leadsTo), isError: false };
  }
  return { text: await describe(response, maxChars, signal), isError: response.status >= 400 };
}

/** To another host only if rules know it or nobody is asked anyway: who allowed the first one may not mean the other. */
function mayFollow(from: URL, to: URL, { grant, mode }: ToolContext): boolean {
  // Where a rule denies the host, it is the dial that says so.
  if (mode === 'full' || grant.hostRule(to.hostname, portOf(to)) !== undefined) return true;
  return isSameSite(from, to);
}

function elsewhere(response: Response, { href }: URL): string {
  return `${response.url} redirects to another host, which no rule allows:\n${href}\nCall web_fetch with that URL if it is what you want.`;
}

async function describe(response: Response, maxChars: number, signal: AbortSignal): Promise<string> {
  const type = response.headers.get('content-type') ?? '';
  const essence = essenceOf(type);
  const status = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
  const head = [`URL: ${response.url}`, `Status: ${status}`, `Type: ${essence === '' ? 'not said' : essence}`];
  if (kindOfType(essence) === 'binary') {
    await response.body?.cancel();
    return [...head, `Size: ${sizeOf(response)}`, '', '[It is no text, and not shown.]'].join('\n');
  }
  const { bytes, isCut } = await readBytes(response, MAX_BYTES);
  const kind = kindOfType(essence) ?? kindOfContent(bytes);
  if (kind === 'binary')
    return [
      ...head,
      `Size: ${isCut ? sizeOf(response) : `${bytes.length} bytes`}`,
      '',
      '[It is no text, and not shown.]',
    ].join('\n');
  const decoded = decodeText(bytes, type);
  const { title, text } =
    kind === 'html' ? await htmlText(decoded, response.url, signal) : { title: '', text: decoded };
  if (title !== '') head.push(`Title: ${title}`);
  return [...head, '', shortened(text, maxChars, isCut)].join('\n');
}

/** As the server says it. */
function sizeOf(response: Response): string {
  const length = response.headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(length) ? `${length} bytes` : 'not said';
}

function shortened(text: string, maxChars: number, isCut: boolean): string {
  const more: string[] = [];
  // A character of two units is not cut in two.
  const shown = text.length > maxChars ? text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '') : text;
  if (shown.length < text.length)
    more.push(`[… ${text.length - shown.length} more characters; a larger maxChars, up to ${MAX_CHARS}, shows more …]`);
  if (isCut) more.push(`[… the page goes on after ${MAX_BYTES} bytes, which are all that is read …]`);
  return [shown === '' ? '[There is no text.]' : shown, ...more].join('\n');
}
