import { expect } from 'vitest';
import { formsOf, tellTale } from './forms.ts';

/** Every kind of secret that the environment can give, each with characters that encodings change. */
export const GIVEN = {
  'a key': 'gsk-a+key/of=groq-0123456789',
  'a token': 'token+of/anthropic=0123456789',
  'a header': 'header+value/of=custom-0123456789',
  'a header after its scheme': 'scheme+value/of=custom-0123456789',
  'an option': 'option+value/of=package-0123456789',
  'an option of several lines': '-----BEGIN\n"private" \\ key+/=\n-----END',
  'the secret key': Buffer.alloc(32, 'a+b/c').toString('base64'),
  'the next secret key': 'fedcba9876543210'.repeat(4),
};

/** Those that people choose. */
export const CHOSEN = {
  'the access key': 'access+key/with=0123456789',
  'the password of the database': 'pass+word/of the=database',
};

/** Those that are given while the server runs. */
export const STORED = {
  'a stored key': 'stored+key/of=xai-0123456789',
  'a replaced key': 'replaced+key/of=xai-0123456789',
};

const ENVIRONMENT: Record<string, string> = {
  GROQ_API_KEY: GIVEN['a key'],
  ANTHROPIC_AUTH_TOKEN: GIVEN['a token'],
  PROFCLAW_SECRET_KEY: GIVEN['the secret key'],
  PROFCLAW_NEW_SECRET_KEY: GIVEN['the next secret key'],
};

/** @param upstream another provider, whose own key is none of them: what it says of the others comes back through it. */
export const environment = (upstream = 'http://127.0.0.1:9'): Record<string, string> => ({
  ...ENVIRONMENT,
  PROFCLAW_PROVIDERS: JSON.stringify({
    'custom:wire': {
      baseUrl: 'http://127.0.0.1:9',
      headers: { 'x-token': GIVEN['a header'], authorization: `Token ${GIVEN['a header after its scheme']}` },
    },
    'custom:package': {
      package: '@ai-sdk/openai-compatible',
      options: { name: 'p', baseURL: 'http://127.0.0.1:9', deep: [{ secret: GIVEN['an option'] }] },
    },
    'custom:pem': {
      package: '@ai-sdk/openai-compatible',
      options: { credentials: { key: GIVEN['an option of several lines'] } },
    },
    'custom:gossip': { baseUrl: upstream },
  }),
});

/** Everything that must not be seen, with a name for the failure; and the texts that have it in them. */
export function everyForm(secrets: Record<string, string>): { name: string; text: string }[] {
  return Object.entries(secrets).flatMap(([kind, secret]) =>
    Object.entries(formsOf(secret)).map(([form, text]) => ({ name: `${kind}, ${form}`, text })),
  );
}

/** Which of them can be seen after all. */
export function seen(secrets: Record<string, string>, ...texts: string[]): string[] {
  const all = texts.join('\n');
  return everyForm(secrets)
    .filter(({ text }) => all.includes(tellTale(text)))
    .map(({ name }) => name);
}

/** Posts JSON; gives the answer as it came. */
export async function post(url: string, body: unknown): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  return await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
}

/** Saves settings of a provider. */
export async function configure(url: string, type: string, settings: object): Promise<void> {
  expect(await post(`${url}/api/chat/providers/${type}/configure`, settings)).toContain('"success":true');
}
