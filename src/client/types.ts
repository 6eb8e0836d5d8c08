import type { z } from 'zod';
import type { ConversationSchema, MessageSchema } from '../http/conversation-schemas.ts';
import type { ApprovalSchema, RunSchema, RunWithCallsSchema } from '../http/run-schemas.ts';

// What the server answers, from the schemas that document it. Types only: nothing of the server comes along.

export type Conversation = z.infer<typeof ConversationSchema>;
export type Message = z.infer<typeof MessageSchema>;
export type Approval = z.infer<typeof ApprovalSchema>;
export type Run = z.infer<typeof RunSchema>;
export type RunWithCalls = z.infer<typeof RunWithCallsSchema>;
