import type { components } from './api.ts';

// What the server answers, by its name in the document.

type Schemas = components['schemas'];

export type Conversation = Schemas['Conversation'];
export type Message = Schemas['ConversationMessage'];
export type Approval = Schemas['Approval'];
export type Run = Schemas['Run'];
export type RunWithCalls = Schemas['RunWithCalls'];
