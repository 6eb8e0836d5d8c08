import { ExistingConversation } from './existing-conversation.tsx';
import { NewConversation } from './new-conversation.tsx';
import './conversation-page.css';

/** A conversation, or where one begins. @param id of the conversation; undefined: a new one */
export function ConversationPage({ id }: { id: string | undefined }): React.ReactNode {
  return id === undefined ? <NewConversation /> : <ExistingConversation id={id} />;
}
