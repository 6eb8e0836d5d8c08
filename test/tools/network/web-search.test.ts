import { describe, expect, it } from 'vitest';
import { type WebSearchOptions, webSearchTool } from '../../../src/tools/builtin/web-search.ts';
import { names, rawSite, type Site, site } from '../../network/rig.ts';
import { toolContext } from '../rig.ts';

const KEY = 'BSAkey-0123456789/+';
type Provider = WebSearchOptions['provider'];

const search = async (
  provider: Provider,
  own: Site,
  given: object = { query: 'cats & dogs' },
): Promise<{ text: string; isError: boolean }> =>
  await webSearchTool({ provider, key: KEY, baseUrl: own.origin }).run(given as Record<string, unknown>, toolContext());

/** Answers as both services do. */
const answering = (body: unknown, status = 200, headers: Record<string, string> = {}): Promise<Site> =>
  site((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

const BRAVE = {
  type: 'search',
  web: {
    results: [
      {
        title: 'Cats &amp; <strong>dogs</strong>',
        url: 'https://a.test/1',
        description: 'All <strong>about</strong>\n them',
      },
      { title: '', url: 'http://b.test/', description: '' },
      { title: 'no page', url: 'javascript:alert(1)', description: 'x' },
      { title: 'long', url: 'https://c.test/', description: 'y'.repeat(5000) },
    ],
  },
};

describe('web_search', () => {
  it('asks Brave as it wants to be asked', async () => {
    const own = await answering(BRAVE);
    expect(await search('brave', own, { query: ' cats & dogs ', maxResults: 4 })).toEqual({
      text: [
        '1. Cats & dogs\n   https://a.test/1\n   All about them',
        '2. No title\n   http://b.test/',
        `3. long\n   https://c.test/\n   ${'y'.repeat(600)}…`,
      ].join('\n\n'),
      isError: false,
    });
    const [asked] = own.requests;
    expect(asked).toMatchObject({
      method: 'GET',
      url: '/res/v1/web/search?q=cats+%26+dogs&count=4&text_decorations=false',
    });
    expect(asked?.headers).toMatchObject({ 'x-subscription-token': KEY, accept: 'application/json' });
  });

  it('asks Tavily as it wants to be asked', async () => {
    const own = await answering({
      query: 'x',
      results: [{ title: 'One', url: 'https://a.test/', content: 'Text < more', score: 0.9 }],
    });
    expect((await search('tavily', own)).text).toBe('1. One\n   https://a.test/\n   Text < more');
    const [asked] = own.requests;
    expect(asked).toMatchObject({ method: 'POST', url: '/search' });
    expect(JSON.parse(asked?.body ?? '')).toEqual({ query: 'cats & dogs', max_results: 8 });
    expect(asked?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' });
  });

  it('gives no more than was asked for, and says that there is nothing', async () => {
    const own = await answering(BRAVE);
    expect((await search('brave', own, { query: 'x', maxResults: 1 })).text).not.toContain('2.');
    for (const body of [{}, { web: {} }, { web: { results: [] } }, [], 'null', { web: { results: [1, null, {}] } }])
      expect(await search('brave', await answering(body))).toEqual({ text: 'Nothing was found.', isError: false });
  });

  it.each<[string, Provider, number, unknown, Record<string, string>, string]>([
    [
      'a bad key',
      'brave',
      422,
      { error: { detail: `no such token ${KEY}` } },
      {},
      'Brave Search answered with the status 422: no such token [secret]',
    ],
    [
      'a bad key',
      'tavily',
      401,
      { detail: { error: `Unauthorized: Bearer ${KEY}` } },
      {},
      'Tavily refuses its key (status 401): Unauthorized: Bearer [secret]. The operator has to set another.',
    ],
    [
      'a key in an URL',
      'tavily',
      400,
      { detail: `for ${encodeURIComponent(KEY)}` },
      {},
      'Tavily answered with the status 400: for [secret]',
    ],
    [
      'too many',
      'brave',
      429,
      { error: { detail: 'slow down' } },
      { 'retry-after': '7' },
      'Brave Search wants fewer searches, and none for 7 s (status 429): slow down',
    ],
    ['no JSON', 'brave', 500, '<html>', {}, 'Brave Search answered with the status 500'],
    ['no JSON', 'brave', 200, '<html>', {}, 'Brave Search did not answer in JSON'],
    ['a redirect', 'brave', 302, '', { location: 'http://127.0.0.1:1/' }, 'Brave Search answered with the status 302'],
  ])('says of %s from %s (%i) what it is', async (_, provider, status, body, headers, text) => {
    expect(await search(provider, await answering(body, status, headers))).toEqual({ text, isError: true });
  });

  it('never shows its key', async () => {
    const echo = [{ title: `t ${KEY}`, url: `https://a.test/?k=${encodeURIComponent(KEY)}`, description: `d ${KEY}` }];
    const { text } = await search('brave', await answering({ web: { results: echo } }));
    expect(text).toBe('1. t [secret]\n   https://a.test/?k=[secret]\n   d [secret]');
  });

  it('takes its key nowhere else', async () => {
    const other = await site();
    const own = await answering('', 307, { location: `${other.origin}/search` });
    expect((await search('tavily', own)).isError).toBe(true);
    expect(other.connections).toBe(0);
  });

  it('does not go to this machine for a service of the web', async () => {
    const lookup = names({ 'api.search.brave.com': '127.0.0.1' });
    const outcome = await webSearchTool({ provider: 'brave', key: KEY }, lookup).run({ query: 'x' }, toolContext());
    expect(outcome.text).toContain('"api.search.brave.com:443" is on this machine');
    expect(lookup.asked).toEqual(['api.search.brave.com']);
  });

  it('keeps to the bounds of every fetch', async () => {
    const own = await answering(`"${'x'.repeat(3 * 1024 * 1024)}"`);
    expect((await search('brave', own)).text).toMatch(/sent more than 2097152 bytes/);
    const slow = await rawSite(() => undefined);
    const stop = new AbortController();
    const tool = webSearchTool({ provider: 'brave', key: KEY, baseUrl: slow.origin });
    const outcome = tool.run({ query: 'x' }, toolContext({ signal: stop.signal }));
    await expect.poll(() => slow.open.size).toBe(1);
    stop.abort(new Error('enough'));
    await expect(outcome).rejects.toThrow('enough');
    await expect.poll(() => slow.open.size).toBe(0);
  });

  it.each([
    {},
    { query: '' },
    { query: '  ' },
    { query: 'x'.repeat(401) },
    { query: 'x', maxResults: 21 },
    { query: 'x', a: 1 },
  ])('does not take %o', async (given) => {
    const own = await answering(BRAVE);
    expect((await search('brave', own, given)).text).toContain('The arguments do not fit');
    expect(own.connections).toBe(0);
  });
});
