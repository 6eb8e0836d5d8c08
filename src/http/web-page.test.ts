import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWebPage, type WebPage } from './web-page.ts';

let folder: string;
let page: WebPage;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-web-'));
  const web = join(folder, 'web');
  mkdirSync(join(web, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'outside.js'), 'outside');
  for (const name of [
    'index.html',
    'index.html.gz',
    'licences.txt',
    'assets/a-1.js',
    'assets/a-1.js.gz',
    'assets/a-1.js.br',
  ])
    writeFileSync(join(web, name), name);
  const opened = openWebPage(web);
  if (!opened) throw new Error('the page is there');
  page = opened;
  writeFileSync(join(web, 'assets/later.js'), 'later');
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['', undefined, 'assets/a-1.js'],
  ['gzip', 'gzip', 'assets/a-1.js.gz'],
  ['gzip, deflate, br, zstd', 'br', 'assets/a-1.js.br'],
  ['deflate, gzip;q=0.5', 'gzip', 'assets/a-1.js.gz'],
  ['br;q=0, gzip', 'gzip', 'assets/a-1.js.gz'],
  ['identity', undefined, 'assets/a-1.js'],
])('to whoever accepts %j, an asset goes as %s', async (accepted, encoding, content) => {
  const file = await page.file('assets/a-1.js', accepted);
  expect(`${file && Buffer.from(file.text)}`).toBe(content);
  expect(file?.headers['content-encoding']).toBe(encoding);
  expect(file?.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  });
});

it('has the page itself asked for each time, under a policy that lets nothing else in', async () => {
  const file = await page.file('index.html', 'br');
  expect(`${file && Buffer.from(file.text)}`).toBe('index.html');
  expect(file?.headers['cache-control']).toBe('no-cache');
  const policy = file?.headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

it.each([
  '../outside.js',
  'assets/../../outside.js',
  'assets/later.js',
  'licences.txt',
  'assets',
  'assets/a-1.js.gz',
  '',
])('does not serve %j', async (name) => {
  expect(await page.file(name, '')).toBeUndefined();
});

it('is nothing where nothing was built', () => {
  expect(openWebPage(join(folder, 'nothing'))).toBeUndefined();
  expect(openWebPage(undefined)).toBeUndefined();
});
