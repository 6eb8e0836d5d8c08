import fc from 'fast-check';
import { expect } from 'vitest';
import type { Json, TestServer } from '../server.ts';
import { method } from './helpers.ts';

/** Text that a person could have written; not an order to the demo model. */
export const text = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme-ascii', minLength: 1 }))
  .map((said) => said.replace(/^\//gm, '|').replaceAll('\u0000', '?').toWellFormed());

const nested = (levels: number): unknown => JSON.parse('{"a":['.repeat(levels) + ']}'.repeat(levels));

/** What nobody should send: wrong types, extremes, strange text, depth. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', ' ', [], {}, [[]], [null], { '': '' }, nested(40), nested(300)),
  fc.constantFrom<unknown>(-1, 0, 1.5, 1e308, -1e308, 2 ** 53, 2 ** 31, 5e-324, -0),
  fc.constantFrom<unknown>('\ud800', 'a\u0000b', '\u202e', '\ufeff', '__proto__', 'constructor', '../..', "'; --", '1'),
  fc.string({ unit: 'binary' }),
  fc.integer({ min: 100, max: 5000 }).map((length) => 'x'.repeat(length)),
  fc.jsonValue(),
);

/** How a body is spoilt in one place. */
export type Mutation = { at: number; how: 'replace' | 'remove' | 'add'; key: string; value: unknown };

/** One of them. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(1000),
  how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'id', 'owner', 'constructor')),
  value: junk,
});

/** Every place inside where something can be changed. */
function places(value: Json): [Json, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [[value, key] as [Json, string], ...places(value[key])]);
}

/** The body with all of them. */
export function mutate(body: Json, mutations: Mutation[]): Json {
  const root = { body: structuredClone(body) };
  for (const { at, how, key, value: shared } of mutations) {
    const value = structuredClone(shared);
    const all = places(root);
    const [holder, name] = all[at % all.length]!;
    if (how === 'remove' && holder !== root) delete holder[name];
    else if (how === 'add' && typeof holder[name] === 'object' && holder[name] !== null) {
      Object.defineProperty(holder[name], key, { value, enumerable: true, configurable: true, writable: true });
    } else holder[name] = value;
  }
  return root.body;
}

/** 2xx, or 4xx in the envelope with a path for every issue; 502 and 503 only for what is not there. */
export function judge({ status, body, headers }: { status: number; body: Json; headers: Headers }): void {
  if (status >= 200 && status < 300) return;
  expect(body).toMatchObject({ error: expect.stringMatching(/./), code: expect.stringMatching(/^[a-z_]+$/) });
  expect(body.requestId).toBe(headers.get('x-request-id'));
  expect(JSON.stringify(body)).not.toMatch(/\.ts:\d|node_modules|node:internal|\bat \w+ \(|TypeError|RangeError/);
  const isForeign = ['provider_not_configured', 'provider_unavailable', 'no_provider'].includes(body.code);
  if (!isForeign)
    expect({ status, code: body.code }).toMatchObject({ status: expect.toSatisfy((s) => s >= 400 && s < 500) });
  if (body.code !== 'invalid_request') return;
  for (const issue of body.details?.issues ?? [])
    expect(issue).toEqual({ path: expect.stringMatching(/./), message: expect.stringMatching(/./) });
}

/** A body of which only these fields must be there. */
export const some = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]) =>
  fc.record(fields, { requiredKeys: requiredKeys as never[] }) as fc.Arbitrary<Json>;

const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text }),
  fc.constant({ type: 'image', image: 'data:image/png;base64,aGk=' }),
  fc.constant({ type: 'image', image: 'https://example.com/a.png' }),
  fc.record({ type: fc.constant('file'), file: fc.constant('data:text/plain;base64,aGk='), filename: text }),
);
/** What a message may say. */
export const content = fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 }));
/** Arguments of a call. */
export const args = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 });

/** Options of most calls. */
export const sampling = {
  temperature: fc.double({ min: 0, max: 2, noNaN: true }),
  maxTokens: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
};
/** As `call`, but an event stream is read as text. */
export async function send(to: TestServer, path: string, name: string, body: Json) {
  const response = await fetch(to.url + path, method(name, body));
  const said = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  if (!isJson) expect(said).toMatch(/^(retry: 1000\n\n)?((id: \d+\n)?data: \{[^\n]*\}\n\n)+$/);
  return { status: response.status, body: isJson ? JSON.parse(said) : said, headers: response.headers };
}
