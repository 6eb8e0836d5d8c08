import { ask } from '../api/server.ts';
import { clearStorage } from './account-storage.ts';
import { tellOthers } from './other-windows.ts';

/** Ends the session, and leaves nothing of it in the page or this browser. @throws RequestError */
export async function logOut(): Promise<void> {
  await ask('/api/auth/logout', { method: 'POST', body: {} });
  clearStorage();
  tellOthers();
  window.location.hash = '#/';
  window.location.reload();
}
