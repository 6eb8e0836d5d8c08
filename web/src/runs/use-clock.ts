import { useEffect, useState } from 'react';

const EVERY_MS = 500;

/** The time in milliseconds since 1970, looked at twice a second as long as `isGoing`. */
export function useClock(isGoing: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isGoing) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, [isGoing]);
  return now;
}
