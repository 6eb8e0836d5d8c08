import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { RequestError } from '../../../src/client/client.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { openStorage } from './account-storage.ts';
import { LogIn } from './log-in.tsx';
import { LoginCard } from './login-card.tsx';
import { tellOthers } from './other-windows.ts';
import { SignUpPage } from './sign-up-page.tsx';
import { ME, type Me, whose } from './use-me.ts';
import { useUnauthenticated } from './use-unauthenticated.ts';

/**
 * Lets those through whom the server knows; the others log in or sign up. Who had come in already and is not known any
 * more logs in over the page, which stays as it is.
 */
export function Gate({ children }: { children: ReactNode }): ReactNode {
  const me = useQuery(ME);
  const [location, go] = useLocation();
  const onDone = useCameIn(me.data);
  useUnauthenticated();
  useSamePerson(me.data);
  const isStranger = me.error instanceof RequestError && me.error.status === 401;
  const isSigningUp = location.startsWith('/signup');
  const isKnown = me.data?.user !== undefined && me.data.user !== null;
  useEffect(() => {
    if (isSigningUp && isKnown) go('/', { replace: true });
  }, [isSigningUp, isKnown, go]);

  if (isSigningUp && (isStranger || (me.data && !isKnown))) {
    const invite = new URLSearchParams(location.split('?')[1]).get('invite') ?? '';
    return <SignUpPage invite={invite} onDone={onDone} onBack={() => go('/')} />;
  }
  if (me.data) {
    openStorage(whose(me.data));
    return (
      <>
        {children}
        {isStranger && (
          <Dialog title="Log in again">
            <p>Your session has ended. What you were writing is still here.</p>
            <LogIn hint={hintOf(me.error)} onDone={onDone} />
          </Dialog>
        )}
      </>
    );
  }
  if (isStranger)
    return (
      <LoginCard title="profclaw">
        <LogIn hint={hintOf(me.error)} onDone={onDone} onSignUp={() => go('/signup')} />
      </LoginCard>
    );
  return <NotYet error={me.error ?? me.failureReason} onRetry={() => void me.refetch()} />;
}

/** While nobody has answered yet, or not as one should. */
function NotYet({ error, onRetry }: { error: Error | null; onRetry: () => void }): ReactNode {
  if (!error)
    return (
      <div className="login-loading">
        <Spinner label="Loading…" />
      </div>
    );
  const isComingBack = error instanceof RequestError && error.status === 0;
  return (
    <LoginCard title="profclaw">
      {isComingBack ? (
        <div role="status" className="stack">
          <p>The server cannot be reached. Is it running?</p>
          <Spinner label="Trying again by itself…" />
        </div>
      ) : (
        <>
          <Problem error={error} onRetry={onRetry} />
          <p className="small muted">{hintOf(error)}</p>
        </>
      )}
    </LoginCard>
  );
}

function hintOf(error: Error | null): string | undefined {
  const hint = error instanceof RequestError ? error.details.hint : undefined;
  return typeof hint === 'string' ? hint : undefined;
}

/** What is done when the server has let somebody in who was `before`, or nobody known. */
function useCameIn(before: Me | undefined): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    const now = await queries.fetchQuery({ ...ME, staleTime: 0 });
    tellOthers();
    // Who it was before is seen by useSamePerson.
    if (!before || whose(before) === whose(now)) await queries.invalidateQueries();
  };
}

/** Nobody sees what somebody else has left on the page: it is loaded anew when another one is in front of it. */
function useSamePerson(me: Me | undefined): void {
  const first = useRef<string>(undefined);
  const now = me && whose(me);
  useEffect(() => {
    if (now === undefined || now === first.current) return;
    if (first.current === undefined) first.current = now;
    else window.location.reload();
  }, [now]);
}
