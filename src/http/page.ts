/** A handler's answer that is ready as it is: text of a content type, with headers of its own. */
export class Page {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;

  /** @param headers must name the content type. */
  constructor(text: string, headers: Readonly<Record<string, string>> & { 'content-type': string }) {
    this.text = text;
    this.headers = headers;
  }
}
