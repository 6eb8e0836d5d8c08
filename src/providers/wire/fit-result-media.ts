import { InvalidRequestError, type Issue } from '../../errors.ts';
import type { ChatRequest, FilePart, ImagePart, Message } from '../chat-model.ts';
import type { Profile } from '../profiles.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { imagesOf, problemOf } from './attachments.ts';

type Media = ImagePart | FilePart;

/**
 * The messages, with the pictures and documents of tools' results that the vendor does not take left out, and a few
 * words in their place: a tool that has once given one must not stop the conversation. Of too many pictures the latest
 * stay.
 * @param warnings gets a sentence for each reason.
 */
export function fitResultMedia(
  request: ChatRequest,
  { attachments = {}, name, quirks }: Pick<Profile, 'attachments' | 'name' | 'quirks'>,
  protocol: Pick<Protocol, 'lower'>,
  warnings: string[],
): Message[] {
  const { messages } = request;
  if (!messages.some((message) => message.role === 'tool' && message.media)) return messages;
  const reasons = new Map<string, number>();
  let room = (attachments.maxImages ?? Number.POSITIVE_INFINITY) - imagesOf(messages);
  const problem = (part: Media): string | undefined => {
    const known = problemOf(part, attachments, name) ?? refusalOf(part, request, quirks, protocol);
    if (known !== undefined || part.type === 'file') return known;
    room--;
    return room < 0 ? `${name} takes at most ${attachments.maxImages} images in a request` : undefined;
  };
  const fitted = messages.toReversed().map((message): Message => {
    if (message.role !== 'tool' || !message.media) return message;
    const { media, text, ...rest } = message;
    const notes: string[] = [];
    const kept = media.toReversed().filter((part) => {
      const why = problem(part);
      if (why === undefined) return true;
      reasons.set(why, (reasons.get(why) ?? 0) + 1);
      notes.unshift(`[${part.type === 'image' ? 'A picture' : 'A file'} was left out here: ${why}]`);
      return false;
    });
    if (notes.length === 0) return message;
    const told = [text, ...notes].filter((line) => line !== '').join('\n');
    return { ...rest, text: told, ...(kept.length > 0 ? { media: kept.toReversed() } : {}) };
  });
  for (const [why, count] of reasons) warnings.push(`messages: ${why}; left out ${count} of what tools gave`);
  return fitted.toReversed();
}

/** What the wire says against a part when it is to carry nothing else. */
function refusalOf(
  part: Media,
  request: ChatRequest,
  quirks: Profile['quirks'],
  { lower }: Pick<Protocol, 'lower'>,
): string | undefined {
  try {
    lower({ ...request, messages: [{ role: 'user', parts: [part] }] }, quirks);
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    const [issue] = (error.details?.issues ?? []) as Issue[];
    return issue?.message ?? error.message;
  }
}
