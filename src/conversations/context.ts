import type { Logger } from 'pino';
import type { ChatContext } from '../chat/complete.ts';
import type { IdPrefix } from '../core/ids.ts';
import type { Turns } from './turns.ts';

/** What a verb of this folder needs. */
export interface ConversationContext extends ChatContext {
  turns: Turns;
  log: Logger;
  /** The model that makes titles; undefined: none does. */
  titleModel: string | undefined;
  /** Makes the ids of what the request creates; the same ones when a keyed request is repeated. */
  newId(prefix: IdPrefix): string;
}
