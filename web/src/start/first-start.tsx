import type { ReactNode } from 'react';
import { useMay } from '../login/use-me.ts';
import { useProviders } from '../settings/provider-status.ts';

import { DemoPart } from './demo-part.tsx';
import { KeyPart } from './key-part.tsx';
import { OllamaPart } from './ollama-part.tsx';
import './first-start.css';

/** How often is looked whether there is an Ollama by now, in milliseconds. */
const LOOK_MS = 5000;

/**
 * From nothing to the first answer, while only the demo model is there: a key, Ollama, or the demo.
 * @param onReady called when a real model has become the default.
 * @param onTry called with an example for the demo that was chosen.
 */
export function FirstStart({
  onReady = nothing,
  onTry,
}: {
  onReady?: () => void;
  onTry?: (text: string) => void;
}): ReactNode {
  const { data } = useProviders(LOOK_MS);
  const providers = data?.providers ?? [];
  const ollama = providers.find(({ type }) => type === 'ollama');
  const mayChange = useMay('providers:write');
  const withOllama = <OllamaPart provider={ollama} onReady={onReady} />;
  const isFound = ollama?.healthy === true;
  return (
    <section className="first-start stack" aria-labelledby="first-start-title">
      <h2 id="first-start-title">Connect a model</h2>
      {!mayChange && <p>No model is set up yet. An admin can do that, in the settings under Providers.</p>}
      {mayChange && isFound && withOllama}
      {mayChange && <KeyPart providers={providers} onReady={onReady} />}
      {mayChange && !isFound && withOllama}
      {data?.default === 'demo' && <DemoPart onTry={onTry} />}
    </section>
  );
}

function nothing(): void {}
