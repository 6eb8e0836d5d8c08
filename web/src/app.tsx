import { lazy, Suspense } from 'react';
import { Route, Router, Switch } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { ConversationPage } from './conversation/conversation-page.tsx';
import { Gate } from './login/gate.tsx';
import { FailureBoundary } from './shell/failure-boundary.tsx';
import { Frame } from './shell/frame.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Spinner } from './ui/spinner.tsx';
import { Toasts } from './ui/toast.tsx';

// What is seldom wanted first comes when it is.
const RunPage = lazy(async () => ({ default: (await import('./runs/run-page.tsx')).RunPage }));
const RunsPage = lazy(async () => ({ default: (await import('./runs/runs-page.tsx')).RunsPage }));
const SettingsPage = lazy(async () => ({ default: (await import('./settings/settings-page.tsx')).SettingsPage }));

/** The page: after the way in, a frame with what the address names. */
export function App(): React.ReactNode {
  return (
    <Router hook={useHashLocation}>
      <Gate>
        <Frame>
          <Pages />
        </Frame>
      </Gate>
      <Toasts />
    </Router>
  );
}

function Pages(): React.ReactNode {
  const [location] = useHashLocation();
  return (
    <FailureBoundary place={location}>
      <Suspense fallback={<Spinner label="Loading…" />}>
        <Switch>
          <Route path="/">{() => <ConversationPage key="new" id={undefined} />}</Route>
          <Route path="/chat/:id">{({ id }) => <ConversationPage key={id} id={id} />}</Route>
          <Route path="/runs">{() => <RunsPage />}</Route>
          <Route path="/runs/:id">{({ id }) => <RunPage key={id} id={id} />}</Route>
          <Route path="/settings/:section?">{({ section }) => <SettingsPage section={section} />}</Route>
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </FailureBoundary>
  );
}
