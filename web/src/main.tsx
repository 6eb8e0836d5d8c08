import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RequestError } from '../../src/client/client.ts';
import { App } from './app.tsx';
import './styles.css';

const queries = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: 'always' },
    queries: {
      // A browser that thinks it is offline still reaches a server on its own machine.
      networkMode: 'always',
      staleTime: 5000,
      // What the server has said will not be other the next time; that it could not be reached may.
      retry: (failures, error) => error instanceof RequestError && error.status === 0 && failures < 5,
    },
  },
});

const root = document.getElementById('page');
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
