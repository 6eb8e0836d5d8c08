/** Headers of an answer; among them its content type. */
export type PageHeaders = Readonly<Record<string, string>> & { readonly 'content-type': string };

/** A handler's answer that is ready as it is: text, or bytes, of a content type, with headers of its own. */
export class Page<Body extends string | Uint8Array = string> {
  readonly text: Body;
  readonly headers: PageHeaders;
  readonly status: number;

  constructor(text: Body, headers: PageHeaders, status = 200) {
    this.text = text;
    this.headers = headers;
    this.status = status;
  }
}
