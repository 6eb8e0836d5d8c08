/** Everything that is written to the audit log, as `<what>.<done to it>`; docs/audit.md says when. */
export const AUDIT_ACTIONS = [
  'account.signup',
  'account.login',
  'account.logout',
  'account.change',
  'account.password',
  'session.revoke',
  'access_key.verify',
  'access_key.set',
  'access_key.remove',
  'key.create',
  'key.revoke',
  'invite.create',
  'invite.revoke',
  'user.change',
  'user.delete',
  'provider.configure',
  'provider.remove',
  'provider.default',
  'conversation.delete',
  'message.delete',
  'preset.delete',
  'task.delete',
  'ticket.delete',
  'secret.rotate',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
