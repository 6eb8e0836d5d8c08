import type { ReactNode } from 'react';
import './login.css';

/** A page that has nothing but what is to be done before the real one. */
export function LoginCard({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <main className="login">
      <div className="login-card stack">
        <div className="row">
          <img src="./icon.svg" alt="" width={32} height={32} />
          <h1>{title}</h1>
        </div>
        {children}
      </div>
    </main>
  );
}
