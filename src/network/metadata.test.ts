import { expect, it } from 'vitest';
import { isMetadata } from './metadata.ts';

it.each([
  ['169.254.169.254', true],
  ['169.254.170.2', true],
  ['::ffff:169.254.169.254', true],
  ['[::ffff:a9fe:a9fe]', true],
  ['[fd00:ec2::254]', true],
  ['fd00:0ec2:0:0::254', true],
  ['100.100.100.200', true],
  ['168.63.129.16', true],
  ['169.254.169.253', false],
  ['169.254.1.2', false],
  ['127.0.0.1', false],
  ['192.168.1.7', false],
  ['fe80::1%eth0', false],
  ['fd00:ec2::255', false],
  ['metadata.google.internal', false],
  ['', false],
])('%s: %s', (host, is) => {
  expect(isMetadata(host)).toBe(is);
});
