import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { webFetchTool } from '../../../src/tools/builtin/web-fetch.ts';
import type { Grant, SecurityMode } from '../../../src/tools/tool.ts';
import { names, rawSite, type Site, site } from '../../network/rig.ts';
import { NO_GRANT, toolContext } from '../rig.ts';

const webFetch = webFetchTool();
/** For which every host is named by a rule. */
const OPEN: Grant = { ...NO_GRANT, hostRule: () => 'exact' };

const fetchPage = async (url: string, more: object = {}): Promise<{ text: string; isError: boolean }> =>
  await webFetch.run({ url, ...more }, toolContext({ grant: OPEN }));

/** Answers with this. */
const page = (type: string | undefined, body: string | Uint8Array, status = 200): Promise<Site> =>
  site((_, response) => {
    response.writeHead(status, type === undefined ? {} : { 'content-type': type });
    response.end(body);
  });

describe('web_fetch', () => {
  it('shows a page as text', async () => {
    const own = await page(
      'text/html; charset=iso-8859-1',
      Buffer.from('<title>T\xe9a</title><script>no</script><h1>Hi</h1><a href="/x">more</a>', 'latin1'),
    );
    expect(await fetchPage(`${own.origin}/a?b`)).toEqual({
      text: [
        `URL: ${own.origin}/a?b`,
        'Status: 200 OK',
        'Type: text/html',
        'Title: Téa',
        '',
        `# Hi\n\n[more](${own.origin}/x)`,
      ].join('\n'),
      isError: false,
    });
    expect(own.requests[0]).toMatchObject({ method: 'GET', url: '/a?b', body: '' });
    expect(own.requests[0]?.headers).not.toHaveProperty('cookie');
  });

  it.each<[string | undefined, string, string]>([
    ['application/json', '{"a": [1,  2]}', '{"a": [1,  2]}'],
    ['application/vnd.x+json; charset=utf-8', '{"a": "é"}', '{"a": "é"}'],
    ['text/plain', '<b>as it is</b>\n\n  x', '<b>as it is</b>\n\n  x'],
    ['TEXT/CSV', 'a,b', 'a,b'],
    ['image/svg+xml', '<svg/>', '<svg/>'],
    [undefined, 'plain & simple', 'plain & simple'],
    [undefined, ' <!DOCTYPE html><p>a &amp; b', 'a & b'],
    ['application/octet-stream', '<html><p>a &amp; b', 'a & b'],
    ['nonsense', 'words', 'words'],
    ['text/html', '<p hidden>x', '[There is no text.]'],
  ])('shows %s as %j as %j', async (type, body, text) => {
    const own = await page(type, body);
    const outcome = await fetchPage(own.origin);
    expect(outcome.text.split('\n\n').slice(1).join('\n\n')).toBe(text);
    expect(outcome.isError).toBe(false);
  });

  it.each<[string | undefined, Uint8Array, string]>([
    ['image/png', Buffer.alloc(1000), 'Type: image/png\nSize: 1000 bytes'],
    ['application/pdf', Buffer.from('%PDF-'), 'Type: application/pdf\nSize: 5 bytes'],
    [undefined, Buffer.from('\0\x01\x02'), 'Type: not said\nSize: 3 bytes'],
  ])('does not show %s', async (type, body, said) => {
    const own = await site((_, response) => {
      response.writeHead(200, { ...(type ? { 'content-type': type } : {}), 'content-length': body.length });
      response.end(body);
    });
    const { text } = await fetchPage(own.origin);
    expect(text).toBe(`URL: ${own.origin}/\nStatus: 200 OK\n${said}\n\n[It is no text, and not shown.]`);
    await expect.poll(() => own.open.size).toBe(0);
  });

  it('has an error where the server has one, and shows what it says', async () => {
    const own = await page('text/plain', 'gone fishing', 404);
    expect(await fetchPage(own.origin)).toEqual({
      text: `URL: ${own.origin}/\nStatus: 404 Not Found\nType: text/plain\n\ngone fishing`,
      isError: true,
    });
  });

  it('cuts what is too long, and says so', async () => {
    const own = await page('text/plain', `${'x'.repeat(149)}😀${'y'.repeat(100)}`);
    const { text } = await fetchPage(own.origin, { maxChars: 150 });
    expect(text.split('\n').slice(4)).toEqual([
      'x'.repeat(149),
      '[… 102 more characters; a larger maxChars, up to 500000, shows more …]',
    ]);
    const bomb = await site((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(8 * 1024 * 1024, 'z')));
    });
    const cut = await fetchPage(bomb.origin);
    expect(cut.text).toMatch(/z\n\[… 5217880 more characters.*\n\[… the page goes on after 5242880 bytes/);
    await expect.poll(() => bomb.open.size).toBe(0);
  });

  it.each([
    ['file:///etc/passwd', 'url: "file:" URLs are not fetched, only https: and http:'],
    ['/etc/passwd', 'url: "/etc/passwd" is not a URL; give one that begins with https://'],
    ['http://a:b@c.test/', 'url: The URL of "c.test" has a name or a password in it; give it without'],
  ])('does not take %s', async (url, said) => {
    expect(await fetchPage(url)).toEqual({ text: `The arguments do not fit: ${said}`, isError: true });
  });

  it('is about the host of its URL, and the same call whatever its length', () => {
    expect(webFetch.subjects({ url: 'https://a.test/b' })).toEqual({ urls: ['https://a.test/b'] });
    expect(webFetch.identity({ url: 'https://a.test/b', maxChars: 500 })).toEqual({ url: 'https://a.test/b' });
    expect([webFetch.level, webFetch.effect, webFetch.isForSandbox]).toEqual(['moderate', 'read', false]);
  });

  it('ends when its call is cancelled', async () => {
    const own = await rawSite(() => undefined);
    const stop = new AbortController();
    const outcome = webFetch.run({ url: own.origin }, toolContext({ grant: OPEN, signal: stop.signal }));
    await expect.poll(() => own.open.size).toBe(1);
    stop.abort(new Error('enough'));
    await expect(outcome).rejects.toThrow('enough');
    await expect.poll(() => own.open.size).toBe(0);
  });
});

describe('the rules of hosts', () => {
  it.each(['ask', 'allowlist', 'full'] as const)('are kept in mode %s', async (mode) => {
    const own = await site();
    const said = async (rule: ReturnType<Grant['hostRule']>) => {
      const grant: Grant = { ...NO_GRANT, hasHosts: true, hostRule: () => rule };
      return (await webFetch.run({ url: own.origin }, toolContext({ mode, grant }))).text;
    };
    expect(await said('deny')).toContain('The rules do not let this call reach');
    expect(await said('allow')).toContain('is on this machine or in its own network');
    expect(await said(undefined)).toContain('is on this machine or in its own network');
    expect(own.connections).toBe(0);
    expect(await said('exact')).toContain('secret');
  });

  /** A site of two names: what comes of a redirect from one to the other. */
  async function redirect(mode: SecurityMode, to: string, grant: Partial<Grant> = {}): Promise<string> {
    const own = await site((request, response) => {
      const isFrom = request.headers.host?.startsWith('from.test') === true && request.url === '/';
      if (isFrom) response.writeHead(302, { location: to.replace('PORT', String(own.port)) });
      response.end(isFrom ? 'moved' : `at ${request.headers.host?.replace(/:\d+/, '')}`);
    });
    const lookup = names({ 'from.test': '127.0.0.1', 'www.from.test': '127.0.0.1', 'to.test': '127.0.0.1' });
    const hostRule: Grant['hostRule'] = (host, port) =>
      host === 'from.test' && port === own.port ? 'exact' : grant.hostRule?.(host, port);
    const outcome = await webFetchTool(lookup).run(
      { url: `http://from.test:${own.port}` },
      toolContext({ mode, grant: { ...NO_GRANT, ...grant, hostRule } }),
    );
    return `${outcome.isError ? 'error: ' : ''}${outcome.text
      .split('\n')
      .slice(outcome.text.startsWith('URL') ? 4 : 0)
      .join('\n')}`;
  }

  it.each<[SecurityMode, string, Partial<Grant>, string | RegExp]>([
    ['ask', '/there', {}, 'at from.test'],
    [
      'ask',
      'http://to.test:PORT/x',
      {},
      /from\.test:\d+\/ redirects to another host, which no rule allows:\nhttp:\/\/to\.test:\d+\/x\nCall web_fetch with that URL/,
    ],
    ['allowlist', 'http://to.test:PORT/x', {}, /redirects to another host/],
    ['ask', 'http://to.test:PORT/', { hostRule: () => 'exact' }, 'at to.test'],
    ['allowlist', 'http://to.test:PORT/', { hostRule: () => 'exact' }, 'at to.test'],
    ['ask', 'http://to.test:PORT/', { hostRule: () => 'allow' }, /^error: .*in its own network/],
    ['ask', 'http://to.test:PORT/', { hasHosts: true }, /which no rule allows/],
    ['full', 'http://to.test:PORT/', {}, /^error: .*in its own network/],
    ['full', 'http://to.test:PORT/', { hostRule: () => 'exact' }, 'at to.test'],
    [
      'full',
      'http://to.test:PORT/',
      { hostRule: () => 'deny' },
      /^error: .*The rules do not let this call reach "to\.test:/,
    ],
    [
      'ask',
      'http://to.test:PORT/',
      { hostRule: () => 'deny' },
      /^error: .*The rules do not let this call reach "to\.test:/,
    ],
    ['ask', 'http://www.from.test:PORT/', {}, /redirects to another host/],
    ['ask', 'http://from.test:1/', {}, /redirects to another host/],
    ['full', 'http://169.254.169.254/latest/', {}, /^error: .*metadata/],
    ['ask', 'file:///etc/passwd', {}, /^error: "file:" URLs are not fetched/],
  ])('in mode %s, to %s with %o', async (mode, to, grant, said) => {
    expect(await redirect(mode, to, grant)).toMatch(typeof said === 'string' ? new RegExp(`^${said}$`) : said);
  });

  it('need not know the host again within a site', async () => {
    const own = await site((request, response) => {
      if (request.url === '/') response.writeHead(301, { location: '/there' });
      response.end(`at ${request.url}`);
    });
    // As after a person's answer: no rule knows the host. That it may be dialled all the same is for this test alone.
    let asked = 0;
    const grant: Grant = { ...NO_GRANT, hostRule: () => (++asked % 2 === 1 ? 'exact' : undefined) };
    const { text } = await webFetch.run({ url: own.origin }, toolContext({ mode: 'ask', grant }));
    expect(text).toContain('at /there');
    expect(asked).toBe(3);
  });
});
