import { COMPAT_ROUTES } from './compat/routes.ts';
import { wireOf } from './compat/wires.ts';
import { routesWith } from './http/routes/index.ts';
import type { Interface } from './http/server.ts';

/** All that a server answers: our own API, and the wires of other clients. */
export const INTERFACE: Interface = { routes: routesWith(COMPAT_ROUTES), wireOf };
