import { describe, expect, it } from 'vitest';
import { resolveAllowed } from '../../src/network/resolve.ts';
import { ANY, names, site, tryFetch } from './rig.ts';

/** Ways to write this machine, each with the port of a server that waits for them. */
const LOOPBACK = [
  'http://127.0.0.1:PORT',
  'http://127.0.0.1.:PORT',
  'http://127.8.9.10:PORT',
  'http://2130706433:PORT',
  'http://0x7f000001:PORT',
  'http://0x7F.1:PORT',
  'http://017700000001:PORT',
  'http://0177.0.0.01:PORT',
  'http://127.1:PORT',
  'http://127.0.1:PORT',
  'http://0x7f.0x0.0x0.0x1:PORT',
  'http://%31%32%37.0.0.1:PORT',
  'http://１２７.０.０.１:PORT',
  'http://127。0。0。1:PORT',
  'http://127．0．0．1:PORT',
  'http://①②⑦.0.0.1:PORT',
  'http://[::1]:PORT',
  'http://[0:0:0:0:0:0:0:1]:PORT',
  'http://[::ffff:127.0.0.1]:PORT',
  'http://[::ffff:7f00:1]:PORT',
  'http://[64:ff9b::127.0.0.1]:PORT',
  'http://localhost:PORT',
  'http://LOCALHOST:PORT',
  'http://ｌｏｃａｌｈｏｓｔ:PORT',
  'http://loc%61lhost:PORT',
  'http:\\\\localhost:PORT',
  'http:localhost:PORT',
  ' http://lo\tcal\nhost:PORT',
] as const;

/** What no rule opens, or not one for a name. */
const NOWHERE = [
  'http://0:PORT',
  'http://0.0.0.0:PORT',
  'http://[::]:PORT',
  'http://[::127.0.0.1]:PORT',
  'http://[::ffff:0:127.0.0.1]:PORT',
  'http://[2002:7f00:1::]:PORT',
  'http://[2001:0:1::80ff:fffe]:PORT',
  'http://255.255.255.255:PORT',
  'http://224.0.0.1:PORT',
] as const;

describe('a fetch that no rule opens anything for', () => {
  it.each(LOOPBACK)('does not reach this machine as %s', async (form) => {
    const own = await site();
    const outcome = await tryFetch({ hostRule: () => undefined }, form.replace('PORT', String(own.port)));
    expect(outcome).toMatch(/^forbidden: .* is on this machine or in its own network/);
    expect(own.connections).toBe(0);
  });

  it.each(NOWHERE)('does not reach %s, and a rule makes no difference', async (form) => {
    const own = await site(undefined, '0.0.0.0');
    for (const rule of [undefined, 'allow', 'exact'] as const) {
      const outcome = await tryFetch({ hostRule: () => rule }, form.replace('PORT', String(own.port)));
      expect(outcome).toMatch(/^forbidden: .* is at an address that belongs to no host/);
    }
    expect(own.connections).toBe(0);
  });

  it.each([
    ['localhost.', '127.0.0.1', 'on this machine'],
    ['127.0.0.1.nip.test', '127.0.0.1', 'on this machine'],
    ['mapped.test', '::ffff:127.0.0.1', 'on this machine'],
    ['ten.test', '10.0.0.7', 'on this machine'],
    ['shared.test', '100.64.1.1', 'on this machine'],
    ['ula.test', 'fd12::1', 'on this machine'],
    ['meta.test', '169.254.169.254', "on this machine's link"],
    ['meta6.test', 'fd00:ec2::254', "on this machine's link"],
    ['zone.test', 'fe80::1%eth0', "on this machine's link"],
    ['zero.test', '0.0.0.0', 'belongs to no host'],
  ])('does not reach %s, which leads to %s', async (name, address, why) => {
    const outcome = await tryFetch({ hostRule: () => 'allow', lookup: names({ [name]: address }) }, `http://${name}/`);
    expect(outcome).toContain('forbidden: ');
    expect(outcome).toContain(why);
    expect(outcome).not.toContain(`is at ${address}`);
  });

  it('does not reach a name of which any address is not public', async () => {
    const own = await site();
    const lookup = names({ 'mixed.test': ['2d00::1', '127.0.0.1'], 'dezim.test': ['127.0.0.1', '2d00::1'] });
    for (const name of ['mixed.test', 'dezim.test'])
      expect(await tryFetch({ hostRule: () => 'allow', lookup }, `http://${name}:${own.port}`)).toContain(
        'forbidden: ',
      );
    expect(own.connections).toBe(0);
  });

  it.each([
    ['file:///etc/passwd', 'invalid_request: "file:" URLs are not fetched, only https: and http:'],
    ['ftp://example.com/', 'invalid_request: "ftp:" URLs are not fetched, only https: and http:'],
    ['data:text/plain,hi', 'invalid_request: "data:" URLs are not fetched, only https: and http:'],
    ['blob:nodedata:1', 'invalid_request: "blob:" URLs are not fetched, only https: and http:'],
    ['gopher://127.0.0.1:6379/_x', 'invalid_request: "gopher:" URLs are not fetched, only https: and http:'],
    [
      'http://me:pass@example.com/',
      'invalid_request: The URL of "example.com" has a name or a password in it; give it without',
    ],
    [
      'http://example.com@127.0.0.1/',
      'invalid_request: The URL of "127.0.0.1" has a name or a password in it; give it without',
    ],
    ['http://', 'invalid_request: "http://" is not a URL; give one that begins with https://'],
    [
      'http://ex%2fample.com/',
      'invalid_request: "http://ex%2fample.com/" is not a URL; give one that begins with https://',
    ],
    [
      'http://[fe80::1%25eth0]/',
      'invalid_request: "http://[fe80::1%25eth0]/" is not a URL; give one that begins with https://',
    ],
    ['http://256.1.1.1/', 'invalid_request: "http://256.1.1.1/" is not a URL; give one that begins with https://'],
  ])('refuses %s', async (url, said) => {
    expect(await tryFetch({ hostRule: () => undefined }, url)).toBe(said);
  });

  it.each([22, 25, 110, 143, 465, 587, 5060, 6000, 6667, 10080])('does not speak HTTP to port %i', async (port) => {
    const lookup = names({ 'site.test': '127.0.0.1' });
    expect(await tryFetch({ ...ANY, lookup }, `http://site.test:${port}`)).toBe(
      `forbidden: site.test:${port}: that port is for another protocol than HTTP, and is not reached`,
    );
    expect(lookup.asked).toEqual([]);
  });
});

describe('a rule', () => {
  it('opens a private host that it names, for the port that it was asked for', async () => {
    const own = await site();
    const asked: unknown[] = [];
    const lookup = names({ 'site.test': '127.0.0.1' });
    const hostRule = (host: string, port: number) => {
      asked.push([host, port]);
      return 'exact' as const;
    };
    expect(await tryFetch({ hostRule, lookup }, `http://SITE.test:${own.port}/a?b#c`)).toBe('200 secret');
    expect(asked).toEqual([['site.test', own.port]]);
    expect(own.requests.map(({ url, headers }) => [url, headers.host])).toEqual([['/a?b', `site.test:${own.port}`]]);
    expect(await tryFetch({ hostRule: () => 'exact' }, own.origin)).toBe('200 secret');
  });

  it('with a wildcard does not', async () => {
    const own = await site();
    const lookup = names({ 'site.test': '127.0.0.1' });
    expect(await tryFetch({ hostRule: () => 'allow', lookup }, `http://site.test:${own.port}`)).toContain(
      'forbidden: ',
    );
    expect(own.connections).toBe(0);
  });

  it('that denies keeps from a host before its name is asked for', async () => {
    const lookup = names({ 'site.test': '127.0.0.1' });
    expect(await tryFetch({ hostRule: () => 'deny', lookup }, 'https://site.test/')).toBe(
      'forbidden: The rules do not let this call reach "site.test:443"',
    );
    expect(lookup.asked).toEqual([]);
  });
});

describe('resolveAllowed', () => {
  it('opens the link for an address that is named, never for a name', async () => {
    const lookup = names({ 'meta.test': '169.254.169.254' });
    await expect(resolveAllowed('meta.test', 80, { isExact: true, lookup })).rejects.toThrow("cloud's metadata");
    await expect(resolveAllowed('169.254.169.254', 80, { isExact: false })).rejects.toThrow("cloud's metadata");
    expect(await resolveAllowed('169.254.169.254', 80, { isExact: true })).toEqual([
      { address: '169.254.169.254', family: 4 },
    ]);
    expect(await resolveAllowed('[fe80::1]', 80, { isExact: true })).toEqual([{ address: 'fe80::1', family: 6 }]);
  });

  it('counts a public address of this machine as its own', async () => {
    const own = ['2d00::1', '8.8.8.8'];
    for (const host of ['2d00::1', '[2d00:0::1]', '8.8.8.8', '::ffff:8.8.8.8']) {
      await expect(resolveAllowed(host, 80, { isExact: false, own })).rejects.toThrow('on this machine');
      expect(await resolveAllowed(host, 80, { isExact: true, own })).toHaveLength(1);
      expect(await resolveAllowed(host, 80, { isExact: false, own: [] })).toHaveLength(1);
    }
  });

  it('says that there is nothing', async () => {
    const lookup = names({ 'empty.test': [] });
    await expect(resolveAllowed('empty.test', 80, { isExact: true, lookup })).rejects.toThrow(
      'The host "empty.test" could not be found (no answer)',
    );
    await expect(resolveAllowed('gone.test', 80, { isExact: true, lookup })).rejects.toThrow('(ENOTFOUND)');
  });
});
