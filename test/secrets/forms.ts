/** The ways in which a secret usually turns up, written down apart from the code that strikes them out. */
export function formsOf(secret: string): Record<string, string> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const base64url = (text: string): string => Buffer.from(text).toString('base64url');
  const lower = (text: string): string => text.replace(/%../g, (code) => code.toLowerCase());
  const asForm = new URLSearchParams({ key: secret }).toString().slice('key='.length);
  return {
    plain: secret,
    'in JSON': JSON.stringify(secret),
    'in JSON in JSON': JSON.stringify(JSON.stringify({ key: secret })),
    'in a URL': encodeURIComponent(secret),
    'in a URL, with small digits': lower(encodeURIComponent(secret)),
    'in a form': asForm,
    'in a form, with small digits': lower(asForm),
    'as base64': base64(secret),
    'as base64url': base64url(secret),
    'as a password without a name, as base64': `Basic ${base64(`:${secret}`)}`,
    'as a name without a password, as base64': `Basic ${base64(`${secret}:`)}`,
    'as a password without a name, as base64url': base64url(`:${secret}`),
  };
}

/** What of a form must not be seen: of those with something around it, what stands for the secret. */
export function tellTale(form: string): string {
  return form.replace(/^Basic /, '').replaceAll(/^[\\"{}key:]+|[\\"}=]+$/g, '');
}
