/**
 * 128 random bits, in hex. In place of `crypto.randomUUID`, which browsers have only behind https and on their own
 * machine: a page from a server in the local network is neither.
 */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
