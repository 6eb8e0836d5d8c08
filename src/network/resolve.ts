import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { AppError } from '../errors.ts';
import { type AddressClass, classOf } from './address-class.ts';

/** Where a connection may be made to. */
export interface Address {
  address: string;
  family: 4 | 6;
}

/** Asks for all addresses of a name, once. */
export type Lookup = (host: string) => Promise<readonly Address[]>;

/** What a name may lead to, and whom to ask. */
export interface Resolving {
  /** Does a rule name this host without a wildcard? It may then be private, and an address that it names anything usable. */
  isExact: boolean;
  /** The system's resolver if it is not given. */
  lookup?: Lookup | undefined;
  /** The addresses of this machine; those of its interfaces if they are not given. */
  own?: readonly string[] | undefined;
}

const WHY: Record<Exclude<AddressClass, 'public'>, string> = {
  private: 'on this machine or in its own network, which is only reached if a rule names that host without a wildcard',
  'link-local': "on this machine's link or a cloud's metadata service, which is not reached",
  unusable: 'at an address that belongs to no host',
};

/**
 * The addresses of a host, if all of them may be connected to. A name is asked for once: whoever connects does so to
 * these, whatever the name says later.
 * @param host a name or an address, an IPv6 one with or without brackets.
 * @throws AppError `forbidden`: one of them may not; `provider_unavailable`: there is none.
 */
export async function resolveAllowed(
  host: string,
  port: number,
  { isExact, lookup = askSystem, own = ownAddresses() }: Resolving,
): Promise<Address[]> {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  const isAddress = isIP(name) !== 0;
  const found = isAddress ? [{ address: name, family: familyOf(name) }] : await ask(name, lookup);
  const isOwn = within(own);
  for (const { address } of found) {
    const known = classOf(address);
    const kind = known === 'public' && isOwn(address) ? 'private' : known;
    if (kind === 'public' || (isExact && (kind === 'private' || (isAddress && kind !== 'unusable')))) continue;
    throw new AppError('forbidden', `${JSON.stringify(`${host}:${port}`)} is ${WHY[kind]}`);
  }
  return found;
}

async function ask(name: string, lookup: Lookup): Promise<Address[]> {
  let found: readonly Address[] = [];
  let code = 'no answer';
  try {
    found = await lookup(name);
  } catch (error) {
    code = error instanceof Error && 'code' in error ? String(error.code) : code;
  }
  if (found.length === 0)
    throw new AppError('provider_unavailable', `The host ${JSON.stringify(name)} could not be found (${code})`);
  return [...found];
}

async function askSystem(host: string): Promise<Address[]> {
  const found = await systemLookup(host, { all: true });
  return found.map(({ address }) => ({ address, family: familyOf(address) }));
}

function familyOf(address: string): 4 | 6 {
  return isIP(address) === 4 ? 4 : 6;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

/** Also finds an IPv4 address that is written as an IPv6 one. */
function within(addresses: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address, `ipv${familyOf(address)}`);
  return (address) => list.check(address, `ipv${familyOf(address)}`);
}
