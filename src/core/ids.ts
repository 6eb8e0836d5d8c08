import { randomBytes } from 'node:crypto';

/** What an id may name; the prefix is part of the id. */
export type IdPrefix =
  | 'resp'
  | 'task'
  | 'ticket'
  | 'preset'
  | 'req'
  | 'call'
  | 'conv'
  | 'msg'
  | 'turn'
  | 'node'
  | 'usr'
  | 'key'
  | 'session'
  | 'invite'
  | 'hold'
  | 'run'
  | 'approval'
  | 'rule'
  | 'batch';

// Crockford base32 in lower case: sorts like its value, has no characters that people confuse.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const POOL_BYTES = 4096;
const RANDOM_CHARS = 12;
// The ids that one token gives differ in these last characters.
const INDEX_CHARS = 3;

let pool = randomBytes(POOL_BYTES);
let poolOffset = 0;
let lastTime = 0;
let counter = 0;

/**
 * A new opaque id such as `resp_01k…`: 9 characters of milliseconds, 3 of a counter within the millisecond,
 * 12 random (60 bits). Ids made by one process sort in the order they were made.
 */
export function newId(prefix: IdPrefix, now: number = Date.now()): string {
  return `${prefix}_${newName(now)}`;
}

/** What `idFrom` makes ids of. */
export function newToken(): string {
  return tokenOf(newName(Date.now()));
}

/** The token that an id of `idFrom` was made of; for an id of `newId` one that nobody has. */
export function tokenOf(id: string): string {
  return id.slice(id.indexOf('_') + 1, -INDEX_CHARS) + base32(0, INDEX_CHARS);
}

function newName(now: number): string {
  if (now > lastTime) {
    lastTime = now;
    counter = 0;
  } else if (++counter >= 32 ** 3) {
    lastTime++;
    counter = 0;
  }
  return `${base32(lastTime, 9)}${base32(counter, 3)}${randomChars()}`;
}

/**
 * The id that a token gives: the same one each time, and one like those of `newId`. The ids of one token sort by index.
 * @param index from 0 on.
 * @throws RangeError beyond 32,767: the next id would be the first one again.
 */
export function idFrom(prefix: IdPrefix, token: string, index = 0): string {
  if (index >= 32 ** INDEX_CHARS)
    throw new RangeError(`no more than ${32 ** INDEX_CHARS} ids can be made of one token`);
  return `${prefix}_${token.slice(0, -INDEX_CHARS)}${base32(index, INDEX_CHARS)}`;
}

function base32(value: number, length: number): string {
  let out = '';
  let rest = value;
  for (let i = 0; i < length; i++) {
    out = ALPHABET.charAt(rest % 32) + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}

function randomChars(): string {
  if (poolOffset + RANDOM_CHARS > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES);
    poolOffset = 0;
  }
  let out = '';
  for (let i = 0; i < RANDOM_CHARS; i++) out += ALPHABET.charAt((pool[poolOffset++] ?? 0) & 31);
  return out;
}
