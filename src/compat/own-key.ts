import { KEY_PREFIX } from '../auth/tokens.ts';

const OWN = new RegExp(`^bearer +${KEY_PREFIX}`, 'i');

/**
 * The header, of those where clients put a key, that has one of this server. Clients demand a key even where the server
 * does not, so that their users write whatever they like: a key that cannot be ours is as good as none, and where a
 * credential is needed the request is refused like any without one.
 * @param headers each as an `Authorization` header.
 */
export function ownKey(...headers: readonly (string | undefined)[]): string | undefined {
  // What is no key at all is told so.
  return headers.find((one) => one && OWN.test(one)) ?? headers.find((one) => one && !/^bearer +\S+ *$/i.test(one));
}
