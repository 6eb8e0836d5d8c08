import { resetPassword } from '../auth/reset-password.ts';
import type { Config } from '../config.ts';
import { withExistingDatabase } from './existing-database.ts';

/** Gives an account a new password, and says it. @throws Error for a person if there is no such account. */
export async function resetPasswordCommand(
  config: Config,
  write: (line: string) => void,
  email: string,
): Promise<void> {
  const password = await withExistingDatabase(config, 'accounts', (db) => resetPassword(db, email));
  write(`the new password of ${email} is ${password}`);
  write('its sessions have ended; change it after logging in (PATCH /api/auth/me)');
}
