import { BlockList, isIP } from 'node:net';

/**
 * Where clouds tell a machine its credentials, and nothing else is: AWS (also its containers), Google, Azure and others
 * at the first; Alibaba, Oracle, Azure's agent, Tencent.
 */
const ADDRESSES_4 = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  '169.254.0.23',
];
/** AWS, also its containers; Google. */
const ADDRESSES_6 = ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'];

const METADATA = new BlockList();
for (const address of ADDRESSES_4) METADATA.addAddress(address, 'ipv4');
for (const address of ADDRESSES_6) METADATA.addAddress(address, 'ipv6');

/** Is this the address of a cloud's metadata service? A name is none. @param host an address, with brackets or without. */
export function isMetadata(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const family = isIP(address);
  return family !== 0 && METADATA.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
