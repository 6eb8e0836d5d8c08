import { isIPv4, isIPv6 } from 'node:net';

/**
 * What is behind an address: anybody's host; this machine or its own network (loopback, private, shared); the link, with
 * the places where clouds give their machines credentials; nothing that could be meant.
 */
export type AddressClass = 'public' | 'private' | 'link-local' | 'unusable';

interface Range {
  first: bigint;
  last: bigint;
  kind: AddressClass | 'embedded';
}

/** The first that fits counts; none: public. By IANA's registry of special-purpose addresses. */
const RANGES_4 = ranges(32, [
  ['169.254.0.0/16', 'link-local'],
  ['0.0.0.0/8', 'unusable'],
  // Metadata of Alibaba, Oracle and Azure, which are not in the link-local range.
  ['100.100.100.200/32', 'link-local'],
  ['192.0.0.192/32', 'link-local'],
  ['168.63.129.16/32', 'link-local'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'private'],
  ['172.16.0.0/12', 'private'],
  ['192.168.0.0/16', 'private'],
  ['192.0.0.0/24', 'unusable'],
  // Documentation.
  ['192.0.2.0/24', 'unusable'],
  ['198.51.100.0/24', 'unusable'],
  ['203.0.113.0/24', 'unusable'],
  // 6to4 relays.
  ['192.88.99.0/24', 'unusable'],
  // Benchmarks.
  ['198.18.0.0/15', 'unusable'],
  // Multicast, reserved, broadcast.
  ['224.0.0.0/3', 'unusable'],
]);

/** The first that fits counts; none: unusable. `embedded`: what the IPv4 address in the last 32 bits is. */
const RANGES_6 = ranges(128, [
  ['::1/128', 'private'],
  ['::ffff:0:0/96', 'embedded'],
  ['64:ff9b::/96', 'embedded'],
  // Metadata of AWS and Google, within the unique local addresses.
  ['fd00:ec2::/32', 'link-local'],
  ['fd20:ce::/32', 'link-local'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  // Site-local, as it was before.
  ['fec0::/10', 'private'],
  // Protocol assignments, Teredo among them: tunnels, whose other end is any IPv4 address.
  ['2001::/23', 'unusable'],
  ['2001:db8::/32', 'unusable'],
  ['2002::/16', 'unusable'],
  ['3fff::/20', 'unusable'],
  // All that was ever given to hosts.
  ['2000::/3', 'public'],
]);

/** @param address as `isIP` takes it, with a zone or without. What is none is unusable. */
export function classOf(address: string): AddressClass {
  const plain = address.replace(/%.*$/, '');
  if (isIPv4(plain)) return find(RANGES_4, bits4(plain), 'public');
  return isIPv6(plain) ? find(RANGES_6, bits6(plain), 'unusable') : 'unusable';
}

function find(all: readonly Range[], bits: bigint, otherwise: AddressClass): AddressClass {
  const kind = all.find(({ first, last }) => first <= bits && bits <= last)?.kind ?? otherwise;
  return kind === 'embedded' ? find(RANGES_4, bits & 0xffff_ffffn, 'public') : kind;
}

function ranges(width: 32 | 128, rows: readonly (readonly [string, Range['kind']])[]): Range[] {
  return rows.map(([range, kind]) => {
    const [base = '', length] = range.split('/');
    const first = width === 32 ? bits4(base) : bits6(base);
    return { first, last: first + (1n << BigInt(width - Number(length))) - 1n, kind };
  });
}

function bits4(address: string): bigint {
  return address.split('.').reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}

function bits6(address: string): bigint {
  // URLs have one form: groups in hexadecimal, also where a dotted address was.
  const [before = [], after = []] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').map(groups);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
