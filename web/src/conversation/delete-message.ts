import { RequestError } from '../../../src/client/client.ts';
import { ask } from '../api/server.ts';

/** Deletes a message and all that followed it; it may be gone already. @throws RequestError */
export async function deleteMessage(conversationId: string, messageId: string, signal: AbortSignal): Promise<void> {
  try {
    await ask(`/api/chat/conversations/${conversationId}/messages/${messageId}`, { method: 'DELETE', signal });
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 404) throw error;
  }
}
