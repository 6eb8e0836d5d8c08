import { isDeepStrictEqual } from 'node:util';

/** What a person says: text, or media by `data:` or https URL. */
export type Said = { type: 'text'; text: string } | { type: 'image' | 'file'; url: string; filename?: string };

/** A part of an assistant's turn. `opaque` is the value that only its provider can read: signature, encrypted copy. */
export type Part =
  | { type: 'text'; text: string; opaque?: string | undefined }
  | { type: 'reasoning'; text: string; opaque?: string | undefined }
  | { type: 'call'; id: string; name: string; args: unknown; opaque?: string | undefined };

export type Turn =
  | { role: 'system'; text: string }
  | { role: 'user'; parts: Said[] }
  | { role: 'assistant'; parts: Part[] }
  | { role: 'tool'; id: string; text: string };

/** What a request of any wire says. `toolChoice` is undefined where the model chooses. */
export interface Dialogue {
  turns: Turn[];
  tools: { name: string; description: string; parameters: unknown }[];
  toolChoice: string | undefined;
  temperature: number | undefined;
  maxTokens: number | undefined;
}

/** Something that only its provider can read, or its reasoning, and before which thing said it stands. */
export interface Back {
  at: number;
  text: string;
  opaque: string | undefined;
}

/** The text of an assistant's turn. */
export function textOf(parts: Part[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
}

/** The tool calls of an assistant's turn. */
export function callsOf(parts: Part[]): Extract<Part, { type: 'call' }>[] {
  return parts.flatMap((part) => (part.type === 'call' ? [part] : []));
}

/** Some clients send reasoning back inside the text. */
export function splitThink(text: string): Part[] {
  const [whole, inside] = /^<think>\n?([\s\S]*?)\n?<\/think>\s*/.exec(text) ?? [];
  if (whole === undefined || inside === undefined) return [{ type: 'text', text }];
  return [
    { type: 'reasoning', text: inside },
    { type: 'text', text: text.slice(whole.length) },
  ];
}

/** Long strings of recorded requests are cut; the number is the length of the whole. */
const CUT = /…<(\d+) chars cut>$/;

/** A `data:` URL of base64 as it was recorded, made valid: without the mark of a cut, and in the common alphabet. */
export function dataUrl(url: string): string {
  const { head, data } = /^(?<head>data:[^,]*;base64,)(?<data>.*)$/s.exec(url)?.groups ?? {};
  if (head === undefined || data === undefined) return url;
  const characters = data.replace(CUT, '');
  const whole = CUT.test(data) ? characters.slice(0, characters.length - (characters.length % 4)) : characters;
  return head + commonBase64(whole);
}

/** Google takes and gives both alphabets of base64. */
export function commonBase64(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}

/** Is this the recorded value, as far as it was recorded? */
export function isRecorded(value: string, recorded: string): boolean {
  const length = CUT.exec(recorded)?.[1];
  if (length === undefined) return value === recorded;
  return value.startsWith(recorded.replace(CUT, '')) && value.length === Number(length);
}

/** The JSON value that a text is, or the text. */
export function jsonOr(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A dialogue without what wires do differently with the same meaning: system messages stand first, neighbouring texts
 * of a person are one, tool calls are counted, and results name the count. Ids can so be anybody's.
 */
export function flatten({ turns }: Dialogue): { said: unknown[]; back: Back[] } {
  const system = turns.flatMap((turn) => (turn.role === 'system' ? [turn.text] : []));
  const said: object[] = [{ system: system.join('\n\n') }];
  const back: Back[] = [];
  const calls: string[] = [];
  const person = (part: Said): void => {
    const last = said.at(-1) as { user?: string };
    if (part.type !== 'text') said.push(part);
    else if (last.user !== undefined) last.user += `\n\n${part.text}`;
    else if (part.text !== '') said.push({ user: part.text });
  };
  for (const turn of turns) {
    if (turn.role === 'user') for (const part of turn.parts) person(part);
    if (turn.role === 'tool') said.push({ resultOf: calls.lastIndexOf(turn.id), text: turn.text });
    if (turn.role !== 'assistant') continue;
    for (const part of turn.parts) {
      const text = part.type === 'reasoning' ? part.text.trim() : '';
      if (text !== '' || part.opaque !== undefined) back.push({ at: said.length, text, opaque: part.opaque });
      if (part.type === 'text' && part.text !== '') said.push({ assistant: part.text });
      if (part.type === 'call') said.push({ call: calls.push(part.id) - 1, name: part.name, args: part.args });
    }
  }
  return { said, back };
}

/** Do both say the same and call the same tools? */
export function isSameTurn(a: Part[], b: Part[]): boolean {
  const essence = (parts: Part[]): unknown => [
    textOf(parts).trim(),
    callsOf(parts).map(({ name, args }) => ({ name, args })),
  ];
  return isDeepStrictEqual(essence(a), essence(b));
}
