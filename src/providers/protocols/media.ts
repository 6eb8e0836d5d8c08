import type { Media } from '../chat-model.ts';

/** The media as one URL: its own, or a `data:` URL. */
export function mediaUrl(media: Media): string {
  return 'url' in media ? media.url : `data:${media.mediaType};base64,${media.data}`;
}
