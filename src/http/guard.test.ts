import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { admitLocal } from './guard.ts';

/** A request from that address; what a real socket of this machine cannot be. */
function from(remoteAddress: string | undefined): IncomingMessage {
  return { headers: { host: 'localhost' }, socket: { remoteAddress } } as unknown as IncomingMessage;
}

describe('admitLocal', () => {
  it.each(['127.0.0.1', '127.9.8.7', '::1', '::ffff:127.0.0.1'])('lets %s in', (address) => {
    expect(() => admitLocal(from(address), [])).not.toThrow();
  });

  it.each([undefined, '', '192.168.1.2', '12.7.0.1', '128.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '::2', '127.evil'])(
    'keeps %s out, whatever its Host says',
    (address) => expect(() => admitLocal(from(address), [])).toThrow('Authentication required'),
  );
});
