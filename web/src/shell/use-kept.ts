import { useState } from 'react';

/** A yes or no that this browser keeps under a name; `false` at first. */
export function useKept(name: string): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => {
    try {
      return localStorage.getItem(name) === 'yes';
    } catch {
      return false;
    }
  });
  const keep = (next: boolean): void => {
    setValue(next);
    try {
      if (next) localStorage.setItem(name, 'yes');
      else localStorage.removeItem(name);
    } catch {
      // A browser that keeps nothing.
    }
  };
  return [value, keep];
}
