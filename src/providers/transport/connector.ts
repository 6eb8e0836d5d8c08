import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isMetadata } from '../../network/metadata.ts';

/**
 * How providers are connected to: anywhere, on this machine and in its network too, but never to the metadata service
 * of a cloud, where who may set addresses would get the machine's own credentials.
 * @param timeout of connecting, milliseconds.
 * @param ask the system's resolver if it is not given.
 */
export function providerConnector(timeout: number, ask: LookupFunction = lookup): buildConnector.connector {
  const checked: LookupFunction = (host, options, done) =>
    ask(host, options, (error, found, family) => {
      const all = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error === null && all.some(isMetadata)) done(refused(), []);
      else done(error, found, family);
    });
  const connect = buildConnector({ timeout, lookup: checked });
  return (options, callback) => {
    if (isMetadata(options.hostname)) callback(refused(), null);
    else connect(options, callback);
  };
}

function refused(): Error {
  return Object.assign(new Error('That is the metadata service of a cloud'), { code: 'ERR_METADATA_ADDRESS' });
}
