import type { Route } from './route.ts';

/** A request's address. A parameter that stands several times in the query is a list, which no schema takes. */
export interface Target {
  path: string;
  query: Record<string, string | string[]>;
}

/** What a path leads to: a route with the parameters of the path, or the methods that the path does take. */
export type Match = { route: Route; params: Record<string, string> } | { methods: string[] };

/** Finds routes by method and path; those without parameters cost one look-up. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: { pattern: RegExp; route: Route }[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes('{')) this.#patterns.push({ pattern: patternOf(route.path), route });
      else this.#exact.set(route.path, [...(this.#exact.get(route.path) ?? []), route]);
    }
  }

  /** A `HEAD` is a `GET` whose body is not sent. A path that cannot be decoded leads nowhere. */
  match(method: string, path: string): Match {
    const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
    const methods: string[] = [];
    for (const route of this.#exact.get(path) ?? []) {
      if (route.method === wanted) return { route, params: {} };
      methods.push(route.method.toUpperCase());
    }
    for (const { pattern, route } of this.#patterns) {
      const params = paramsOf(pattern.exec(path));
      if (!params) continue;
      if (route.method === wanted) return { route, params };
      methods.push(route.method.toUpperCase());
    }
    return { methods };
  }
}

/** Reads a request line's target, `/path?query` or a whole URL; undefined if it is neither. */
export function readTarget(url: string): Target | undefined {
  if (!url.startsWith('/')) {
    const whole = URL.parse(url);
    return whole?.protocol.startsWith('http') ? readTarget(whole.pathname + whole.search) : undefined;
  }
  const mark = url.indexOf('?');
  if (mark === -1) return { path: url, query: {} };
  const query: Target['query'] = {};
  const search = new URLSearchParams(url.slice(mark));
  for (const name of new Set(search.keys())) {
    const [first = '', ...more] = search.getAll(name);
    Object.defineProperty(query, name, { value: more.length === 0 ? first : [first, ...more], enumerable: true });
  }
  return { path: url.slice(0, mark), query };
}

function patternOf(path: string): RegExp {
  const plain = path.replaceAll('.', '\\.').replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${plain.replaceAll(/\{(\w+)\+\}/g, '(?<$1>.+)')}$`);
}

function paramsOf(found: RegExpExecArray | null): Record<string, string> | undefined {
  if (!found) return undefined;
  try {
    return Object.fromEntries(
      Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return undefined;
  }
}
