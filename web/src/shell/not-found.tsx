import type { ReactNode } from 'react';

/** Where an address leads that names nothing. */
export function NotFound(): ReactNode {
  return (
    <div className="frame-notice stack">
      <h1>There is nothing here</h1>
      <p>
        The address names no page. <a href="#/">Begin a new chat</a>
      </p>
    </div>
  );
}
