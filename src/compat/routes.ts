import type { Route } from '../http/route.ts';
import { chatCompletionRoutes } from './chat-completions.ts';
import { mcpServerRoutes } from './mcp.ts';
import { messagesRoutes } from './messages.ts';
import { openAiConversationRoutes } from './openai-conversations.ts';
import { responsesRoutes } from './responses.ts';
import { uiStreamRoutes } from './ui-stream.ts';
import { wireModelRoutes } from './wire-models.ts';

/** The routes of other clients' wires. */
export const COMPAT_ROUTES: readonly Route[] = [
  ...chatCompletionRoutes,
  ...wireModelRoutes,
  ...responsesRoutes,
  ...openAiConversationRoutes,
  ...messagesRoutes,
  ...uiStreamRoutes,
  ...mcpServerRoutes,
];
