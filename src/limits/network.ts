import { isIPv6 } from 'node:net';

/**
 * What an address is counted as: an IPv4 address as itself, an IPv6 one as its network of 64 bits, since whoever has one
 * address of that has all of them (RFC 6177).
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  // An IPv4 address at the end stands for two groups, neither of which is among the first four.
  const [left = '', right] = address
    .replace(/%.*$/, '')
    .replace(/[\d.]*\.[\d.]*$/, '0:0')
    .split('::');
  const [before, after] = [left, right ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const gap = right === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const groups = [...(before ?? []), ...Array.from({ length: gap }, () => '0'), ...(after ?? [])];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
