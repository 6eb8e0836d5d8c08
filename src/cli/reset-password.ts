import { resetPassword } from '../auth/reset-password.ts';
import { withExistingDatabase } from './existing-database.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** Gives an account a new password, and says it. @throws Error for a person if there is no such account. */
export async function resetPasswordCommand(terminal: Terminal, email: string): Promise<void> {
  const password = await withExistingDatabase(terminal.config(), 'accounts', (db) => resetPassword(db, email));
  writeLine(terminal, `the new password of ${email} is ${password}`);
  writeLine(terminal, 'its sessions have ended; change it after logging in, on the page or with PATCH /api/auth/me');
}
