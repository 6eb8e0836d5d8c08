import type { Origin, ToolCall } from '../providers/chat-model.ts';
import { type Carried, isCarried, readCarried } from './messages-carrier.ts';

const PREFIX = 'profclaw:';

/** Opaque text for `encrypted_content`, which clients send back untouched; the same form as in Anthropic's signatures. */
export function writeOpaque(carried: Carried): string {
  return PREFIX + Buffer.from(JSON.stringify(carried)).toString('base64url');
}

/** Reads {@link writeOpaque}'s text; undefined for any other, such as one that OpenAI itself wrote. */
export function readOpaque(opaque: string | null | undefined): Carried | undefined {
  return typeof opaque === 'string' && isCarried(opaque) ? readCarried(opaque) : undefined;
}

/** What of a call has no field in a `function_call` item; undefined if nothing. */
export function carriedOfCall({ id, data, invalidArguments }: ToolCall, origin: Origin): Carried | undefined {
  if (!data && invalidArguments === undefined) return undefined;
  return {
    call: id,
    ...(data ? { origin, data } : {}),
    ...(invalidArguments === undefined ? {} : { invalidArguments }),
  };
}
