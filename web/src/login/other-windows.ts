const channel = new BroadcastChannel('profclaw-session');

/** Tells the other windows of this browser that somebody has logged in or out. */
export function tellOthers(): void {
  channel.postMessage('changed');
}

/** Has a function called when that has happened in another window. @returns how to end that */
export function onOtherSession(listener: () => void): () => void {
  channel.addEventListener('message', listener);
  return () => channel.removeEventListener('message', listener);
}
