import { describe, expect, it } from 'vitest';
import { classOf } from './address-class.ts';

/** The address before a range, its first, its last, and the one after it, with what each is. */
const RANGES: readonly [string, string, string, string, string, string, string][] = [
  // before, its class, first, last, their class, after, its class
  ['', '', '0.0.0.0', '0.255.255.255', 'unusable', '1.0.0.0', 'public'],
  ['9.255.255.255', 'public', '10.0.0.0', '10.255.255.255', 'private', '11.0.0.0', 'public'],
  ['100.63.255.255', 'public', '100.64.0.0', '100.127.255.255', 'private', '100.128.0.0', 'public'],
  ['100.100.100.199', 'private', '100.100.100.200', '100.100.100.200', 'link-local', '100.100.100.201', 'private'],
  ['126.255.255.255', 'public', '127.0.0.0', '127.255.255.255', 'private', '128.0.0.0', 'public'],
  ['168.63.129.15', 'public', '168.63.129.16', '168.63.129.16', 'link-local', '168.63.129.17', 'public'],
  ['169.253.255.255', 'public', '169.254.0.0', '169.254.255.255', 'link-local', '169.255.0.0', 'public'],
  ['172.15.255.255', 'public', '172.16.0.0', '172.31.255.255', 'private', '172.32.0.0', 'public'],
  ['191.255.255.255', 'public', '192.0.0.0', '192.0.0.191', 'unusable', '192.0.0.192', 'link-local'],
  ['192.0.0.192', 'link-local', '192.0.0.193', '192.0.0.255', 'unusable', '192.0.1.0', 'public'],
  ['192.0.1.255', 'public', '192.0.2.0', '192.0.2.255', 'unusable', '192.0.3.0', 'public'],
  ['192.88.98.255', 'public', '192.88.99.0', '192.88.99.255', 'unusable', '192.88.100.0', 'public'],
  ['192.167.255.255', 'public', '192.168.0.0', '192.168.255.255', 'private', '192.169.0.0', 'public'],
  ['198.17.255.255', 'public', '198.18.0.0', '198.19.255.255', 'unusable', '198.20.0.0', 'public'],
  ['198.51.99.255', 'public', '198.51.100.0', '198.51.100.255', 'unusable', '198.51.101.0', 'public'],
  ['203.0.112.255', 'public', '203.0.113.0', '203.0.113.255', 'unusable', '203.0.114.0', 'public'],
  ['223.255.255.255', 'public', '224.0.0.0', '239.255.255.255', 'unusable', '240.0.0.0', 'unusable'],
  ['239.255.255.255', 'unusable', '240.0.0.0', '255.255.255.255', 'unusable', '', ''],
  ['', '', '::', '::', 'unusable', '::1', 'private'],
  ['::', 'unusable', '::1', '::1', 'private', '::2', 'unusable'],
  // IPv4-compatible.
  ['::1', 'private', '::2', '::255.255.255.255', 'unusable', '::1:0:0', 'unusable'],
  ['::fffe:ffff:ffff', 'unusable', '::ffff:0.0.0.0', '::ffff:0.255.255.255', 'unusable', '::ffff:1.0.0.0', 'public'],
  ['::ffff:9.255.255.255', 'public', '::ffff:10.0.0.0', '::ffff:10.255.255.255', 'private', '::ffff:b00:0', 'public'],
  ['::ffff:7eff:ffff', 'public', '::ffff:7f00:0', '::ffff:7fff:ffff', 'private', '::ffff:8000:0', 'public'],
  ['::ffff:223.255.255.255', 'public', '::ffff:224.0.0.0', '::ffff:ffff:ffff', 'unusable', '::1:0:0:0', 'unusable'],
  [
    '64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '64:ff9b::',
    '64:ff9b::ff:ffff',
    'unusable',
    '64:ff9b::100:0',
    'public',
  ],
  [
    '64:ff9b::169.253.255.255',
    'public',
    '64:ff9b::169.254.0.0',
    '64:ff9b::a9fe:ffff',
    'link-local',
    '64:ff9b::a9ff:0',
    'public',
  ],
  [
    '64:ff9b::223.255.255.255',
    'public',
    '64:ff9b::e000:0',
    '64:ff9b::ffff:ffff',
    'unusable',
    '64:ff9b::1:0:0',
    'unusable',
  ],
  [
    '64:ff9b::1:0:0',
    'unusable',
    '64:ff9b:1::',
    '64:ff9b:1:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '64:ff9b:2::',
    'unusable',
  ],
  // Discarded.
  ['ff:ffff::', 'unusable', '100::', '100::ffff:ffff:ffff:ffff', 'unusable', '100:0:0:1::', 'unusable'],
  [
    '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '2000::',
    '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'public',
    '2001::',
    'unusable',
  ],
  [
    '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'public',
    '2001::',
    '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '2001:200::',
    'public',
  ],
  [
    '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff',
    'public',
    '2001:db8::',
    '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '2001:db9::',
    'public',
  ],
  [
    '2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'public',
    '2002::',
    '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '2003::',
    'public',
  ],
  [
    '3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'public',
    '3fff::',
    '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    '3fff:1000::',
    'public',
  ],
  ['3fff:1000::', 'public', '3fff:ffff::', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'public', '4000::', 'unusable'],
  ['5eff:ffff::', 'unusable', '5f00::', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'unusable', '5f01::', 'unusable'],
  [
    'fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    'fc00::',
    'fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff',
    'private',
    'fd00:ec2::',
    'link-local',
  ],
  [
    'fd00:ec1:ffff::',
    'private',
    'fd00:ec2::',
    'fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff',
    'link-local',
    'fd00:ec3::',
    'private',
  ],
  [
    'fd20:cd:ffff::',
    'private',
    'fd20:ce::',
    'fd20:ce:ffff:ffff:ffff:ffff:ffff:ffff',
    'link-local',
    'fd20:cf::',
    'private',
  ],
  ['fd20:cf::', 'private', 'fdff::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'private', 'fe00::', 'unusable'],
  [
    'fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'unusable',
    'fe80::',
    'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'link-local',
    'fec0::',
    'private',
  ],
  ['febf:ffff::', 'link-local', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'private', 'ff00::', 'unusable'],
  ['feff:ffff::', 'private', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'unusable', '', ''],
];

describe('classOf', () => {
  it.each(RANGES)('%s is %s, %s to %s %s, %s %s', (before, classBefore, first, last, kind, after, classAfter) => {
    expect([classOf(first), classOf(last)]).toEqual([kind, kind]);
    if (before !== '') expect(classOf(before)).toBe(classBefore);
    if (after !== '') expect(classOf(after)).toBe(classAfter);
  });

  it.each([
    ['169.254.169.254', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['0:0:0:0:0:ffff:7f00:1', 'private'],
    ['fe80::1%eth0', 'link-local'],
    ['::1%lo', 'private'],
    // In it is 8.8.8.8: not looked into, since its other end is not known.
    ['2002:808:808::1', 'unusable'],
    ['2001:0:808:808::1', 'unusable'],
    ['::ffff:0:127.0.0.1', 'unusable'],
    ['8.8.8.8', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2620:4F:8000::1', 'public'],
  ])('%s is %s', (address, kind) => {
    expect(classOf(address)).toBe(kind);
  });

  it.each([
    '',
    'example.com',
    '127.1',
    '0x7f.0.0.1',
    '1.2.3',
    '1.2.3.256',
    '127.0.0.01',
    '[::1]',
    ':::',
    '1::2::3',
    '%1',
  ])('%j is no address, and so not public', (text) => {
    expect(classOf(text)).toBe('unusable');
  });
});
