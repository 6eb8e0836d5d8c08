import { RequestError } from '../../../src/client/client.ts';
import type { Conversation } from '../../../src/client/types.ts';
import { ask } from '../api/server.ts';

/** Stores a conversation out of a file that an export has made. @throws Error that says what is wrong with it */
export async function importConversation(file: File): Promise<Conversation> {
  let body: unknown;
  try {
    body = JSON.parse(await file.text());
  } catch {
    throw new Error('it is no JSON, so no exported conversation');
  }
  try {
    const imported = await ask<{ conversation: Conversation }>('/api/chat/conversations/import', {
      method: 'POST',
      body,
    });
    return imported.conversation;
  } catch (error) {
    throw error instanceof RequestError && error.code === 'invalid_request' ? new Error(reasonOf(error)) : error;
  }
}

function reasonOf({ message, details }: RequestError): string {
  const [issue] = Array.isArray(details.issues) ? (details.issues as { path: string; message: string }[]) : [];
  return issue ? `it is no exported conversation (${issue.path}: ${issue.message})` : message;
}
