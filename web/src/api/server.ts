import { type RequestOptions, type Server, send, sendJson } from '../../../src/client/client.ts';

const refusals = new EventTarget();
const UNKNOWN = 'unknown';

/** The server that has sent this page; also below a path of a proxy. */
export const SERVER: Server = {
  url: new URL('.', document.baseURI).href.replace(/\/$/, ''),
  onRefused: ({ status }, path) => {
    // A wrong password is no sign that a session has ended, and whoever asks who they are hears it from the answer.
    if (status === 401 && !path.startsWith('/api/auth/')) refusals.dispatchEvent(new Event(UNKNOWN));
  },
};

/** Has a function called whenever the server does not know who asks it. @returns how to end that */
export function onUnknown(listener: () => void): () => void {
  refusals.addEventListener(UNKNOWN, listener);
  return () => refusals.removeEventListener(UNKNOWN, listener);
}

/** Asks the server, and reads its answer as JSON. @throws RequestError, whose message is for a person */
export function ask<T>(path: string, options?: RequestOptions): Promise<T> {
  return sendJson<T>(SERVER, path, options);
}

/** Asks the server for something that is no JSON, such as an export. @throws RequestError */
export function askRaw(path: string, options?: RequestOptions): Promise<Response> {
  return send(SERVER, path, options);
}
