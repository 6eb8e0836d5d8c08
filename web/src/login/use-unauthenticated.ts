import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import { KEYS } from '../api/keys.ts';
import { onUnknown } from '../api/server.ts';
import { onOtherSession } from './other-windows.ts';

/**
 * Asks again who is in front of the page as soon as the server does not know them any more, or somebody has logged in or
 * out in another window.
 */
export function useUnauthenticated(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const ask = (): void => void queries.invalidateQueries({ queryKey: KEYS.me });
    const stopRefusals = onUnknown(() => {
      const known = queries.getQueryState(KEYS.me)?.error;
      // Once is enough: what goes on behind the login is refused as well.
      if (!(known instanceof RequestError && known.status === 401)) ask();
    });
    const stopOthers = onOtherSession(ask);
    return () => {
      stopRefusals();
      stopOthers();
    };
  }, [queries]);
}
