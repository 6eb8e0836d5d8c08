/** Under which keys answers are kept, so that whoever changes something can have them asked for again. */
export const KEYS = {
  me: ['me'],
  authStatus: ['auth-status'],
  /** Lists of conversations, by search. */
  conversations: ['conversations'],
  /** `[...conversation, id]`: a conversation and its messages. */
  conversation: ['conversation'],
  presets: ['presets'],
  models: ['models'],
  providers: ['providers'],
  tools: ['tools'],
  rules: ['rules'],
  mcpServers: ['mcp-servers'],
  approvals: ['approvals'],
  runs: ['runs'],
  apiKeys: ['api-keys'],
  sessions: ['sessions'],
  users: ['users'],
} as const;
