import type { Scope } from '../login/use-me.ts';

/** What a key may be good for, and what that means. */
export const SCOPES: readonly { scope: Scope; means: string }[] = [
  { scope: 'chat', means: 'ask models, begin and change conversations, tasks, tickets and presets' },
  { scope: 'conversations:read', means: 'read and search conversations and runs' },
  {
    scope: 'tools',
    means: 'start runs with tools and answer their questions: whoever has it can have commands carried out',
  },
  { scope: 'providers:write', means: 'set up providers and servers of tools' },
  { scope: 'admin', means: 'users, invites, the audit log, keys and sessions' },
];
