import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts text with AES-256-GCM under a 32-byte key: `v1.` and base64url of nonce, ciphertext, tag. `context` names
 * the place it is for (`provider_settings/openai`): it is not stored, and without the same one the text cannot be opened.
 */
export function seal(text: string, key: Buffer, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(context));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${VERSION}.${Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url')}`;
}

/** The text that `seal` was given. Throws an Error, without any of the content, if key or context differ or a bit has changed. */
export function open(sealed: string, key: Buffer, context: string): string {
  try {
    return decrypt(sealed, key, context);
  } catch {
    throw new Error(
      `the stored secret of ${context} cannot be decrypted with this key: the secret key has changed, or the stored value was altered`,
    );
  }
}

function decrypt(sealed: string, key: Buffer, context: string): string {
  const [version, payload, ...rest] = sealed.split('.');
  if (version !== VERSION || payload === undefined || rest.length > 0) throw new Error('unknown format');
  const bytes = Buffer.from(payload, 'base64url');
  // The decoder skips characters it does not know and ignores left-over bits: only one spelling is accepted.
  if (bytes.toString('base64url') !== payload || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('damaged');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const ciphertext = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}

function additionalData(context: string): Buffer {
  return Buffer.from(`${VERSION}:${context}`, 'utf8');
}
