import { describe, expect, it } from 'vitest';
import { guardedFetch } from '../../src/network/guarded-fetch.ts';
import { ANY, names, rawSite, type Site, site, tryFetch } from './rig.ts';

/** Redirects to what its path says, with the status that its first segment says. */
async function redirecting(target: () => string): Promise<Site> {
  return await site((request, response) => {
    const status = Number(/^\/(\d+)/.exec(request.url ?? '')?.[1]);
    if (Number.isNaN(status)) return void response.end(`here ${request.url}`);
    response.writeHead(status, { location: target() });
    response.end('moved');
  });
}

describe('a redirect', () => {
  it.each([
    ['http://127.0.0.1:PORT/', 'on this machine'],
    ['http://2130706433:PORT/', 'on this machine'],
    ['//127.1:PORT/', 'on this machine'],
    ['\\\\[::ffff:127.0.0.1]:PORT\\', 'on this machine'],
    ['http://inner.test:PORT/', 'on this machine'],
    ['http://169.254.169.254/latest/meta-data/', "cloud's metadata"],
    ['http://0.0.0.0:PORT/', 'belongs to no host'],
    ['http://denied.test:PORT/', 'The rules do not let this call reach'],
    ['file:///etc/passwd', '"file:" URLs are not fetched'],
    ['data:text/html,hi', '"data:" URLs are not fetched'],
    ['javascript:alert(1)', '"javascript:" URLs are not fetched'],
    ['http://me:pass@site.test/', 'has a name or a password in it'],
    ['http://[/', 'is not a URL'],
    ['http://site.test:22/', 'port is for another protocol'],
  ])('to %s is not followed', async (location, why) => {
    const victim = await site();
    const from = await redirecting(() => location.replace('PORT', String(victim.port)));
    const lookup = names({ 'site.test': '127.0.0.1', 'inner.test': '127.0.0.1', 'denied.test': '127.0.0.1' });
    const hostRule = (host: string) => (host === 'site.test' ? 'exact' : host === 'denied.test' ? 'deny' : 'allow');
    for (const status of [301, 302, 303, 307, 308]) {
      const outcome = await tryFetch(
        { hostRule, lookup, mayFollow: () => true },
        `http://site.test:${from.port}/${status}`,
      );
      expect(outcome).toMatch(/^(forbidden|invalid_request): /);
      expect(outcome).toContain(why);
    }
    expect([from.connections, victim.connections]).toEqual([5, 0]);
    expect(from.open.size).toBe(0);
  });

  it('is followed within its origin, and the answer says where it came from', async () => {
    const from = await redirecting(() => '/there?a#b');
    const response = await guardedFetch({ hostRule: () => 'exact' })(`${from.origin}/302`);
    expect([response.status, response.url, await response.text()]).toEqual([
      200,
      `${from.origin}/there?a#b`,
      'here /there?a',
    ]);
  });

  it('to another origin is itself the answer, if nobody says that it may be followed', async () => {
    const other = await site();
    const from = await redirecting(() => `${other.origin}/`);
    const response = await guardedFetch({ hostRule: () => 'exact' })(`${from.origin}/302`);
    expect([response.status, response.headers.get('location')]).toEqual([302, `${other.origin}/`]);
    await response.body?.cancel();
    const asked: string[] = [];
    const mayFollow = (a: URL, b: URL) => asked.push(`${a.href} ${b.href}`) < 0;
    expect(await tryFetch({ hostRule: () => 'exact', mayFollow }, `${from.origin}/307`)).toBe('307 moved');
    expect(asked).toEqual([`${from.origin}/307 ${other.origin}/`]);
    expect(other.connections).toBe(0);
  });

  it('is as `init.redirect` says', async () => {
    const from = await redirecting(() => '/there');
    expect(await tryFetch(ANY, `${from.origin}/302`, { redirect: 'manual' })).toBe('302 moved');
    expect(await tryFetch(ANY, `${from.origin}/302`, { redirect: 'error' })).toMatch(/^forbidden: .* redirects/);
    expect(from.requests).toHaveLength(2);
  });

  it('is followed ten times', async () => {
    const chain = (ends: number) =>
      site((request, response) => {
        const at = Number(request.url?.slice(1));
        if (at === ends) return void response.end('the end');
        response.writeHead(302, { location: `/${at + 1}` });
        response.end();
      });
    const short = await chain(10);
    expect(await tryFetch(ANY, `${short.origin}/0`)).toBe('200 the end');
    for (const ends of [11, 50]) {
      const long = await chain(ends);
      expect(await tryFetch(ANY, `${long.origin}/0`)).toMatch(/^provider_protocol: .* redirects more than 10 times$/);
      expect(long.requests).toHaveLength(11);
    }
    const loop = await redirecting(() => '/302');
    expect(await tryFetch(ANY, `${loop.origin}/302`)).toContain('redirects more than 10 times');
    expect(loop.requests).toHaveLength(11);
  });

  it('takes secrets nowhere else', async () => {
    const other = await site();
    const from = await redirecting(() => `${other.origin}/x`);
    const back = await redirecting(() => '/y');
    const headers = {
      authorization: 'Bearer s3cret',
      cookie: 'a=s3cret',
      'x-api-key': 's3cret',
      'proxy-authorization': 's3cret',
      accept: 'text/html',
      'user-agent': 'tester',
    };
    await tryFetch(ANY, `${from.origin}/302`, { headers });
    await tryFetch(ANY, `${back.origin}/302`, { headers });
    expect(JSON.stringify(other.requests)).not.toContain('s3cret');
    expect(other.requests[0]?.headers).toMatchObject({ accept: 'text/html', 'user-agent': 'tester' });
    const [, last] = back.requests;
    expect(last?.headers).toMatchObject({ authorization: 'Bearer s3cret', cookie: 'a=s3cret', 'x-api-key': 's3cret' });
    expect(last?.headers['proxy-authorization']).toBeUndefined();
  });

  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'the body'],
    [307, 'POST', 'POST', 'the body'],
    [308, 'POST', 'POST', 'the body'],
  ])('with %i of a %s is a %s', async (status, method, then, body) => {
    const from = await redirecting(() => '/there');
    await tryFetch(ANY, `${from.origin}/${status}`, { method, body: 'the body', headers: { 'content-type': 'a/b' } });
    expect(from.requests[0]).toMatchObject({ method, body: 'the body' });
    expect(from.requests[1]).toMatchObject({ method: then, body });
    expect(from.requests[1]?.headers['content-type']).toBe(body === '' ? undefined : 'a/b');
  });

  it('without a place to go to is an answer like any other', async () => {
    const own = await rawSite((socket) => socket.end('HTTP/1.1 302 Found\r\ncontent-length: 4\r\n\r\nstay'));
    expect(await tryFetch(ANY, own.origin)).toBe('302 stay');
  });
});
