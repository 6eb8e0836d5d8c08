import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '../errors.ts';

/** The second of OWASP's equivalent settings for Argon2id: 19 MiB, 2 passes, 1 lane (Password Storage Cheat Sheet). */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** The pool of threads has four, and files and names need some too. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 50;

const derive = promisify(argon2) as (name: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;

let atWork = 0;
const waiting: (() => void)[] = [];

/** Hashes a password, off the event loop: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC string format). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await hashed(password, salt, COST);
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Is it the password that was hashed? Without a stored hash it takes as long and says no: how long an answer takes does
 * not tell whether there is such an account.
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const { salt, hash, ...cost } = parse(stored) ?? { salt: randomBytes(SALT_BYTES), hash: undefined, ...COST };
  const derived = await hashed(password, salt, cost);
  return timingSafeEqual(derived, hash ?? randomBytes(HASH_BYTES)) && hash !== undefined;
}

/** @throws AppError `overloaded` if too many wait already. */
async function hashed(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  await enter();
  try {
    // The same password may be typed in several forms of Unicode (NIST SP 800-63B, 5.1.1.2).
    return await derive('argon2id', {
      message: password.normalize('NFKC'),
      nonce: salt,
      tagLength: HASH_BYTES,
      ...cost,
    });
  } finally {
    leave();
  }
}

async function enter(): Promise<void> {
  if (atWork < MAX_AT_ONCE) atWork++;
  else if (waiting.length < MAX_WAITING) await new Promise<void>((resolve) => waiting.push(resolve));
  else throw new AppError('overloaded', 'Too many passwords are being checked; try again', { retryAfter: 5 });
}

function leave(): void {
  const next = waiting.shift();
  if (next) next();
  else atWork--;
}

function parse(stored: string | undefined): ({ salt: Buffer; hash: Buffer } & typeof COST) | undefined {
  const found = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]{43})$/.exec(stored ?? '');
  if (!found) return undefined;
  const [, memory, passes, parallelism, salt = '', hash = ''] = found;
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
