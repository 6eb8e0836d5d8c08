/** How a conversation is called where it is listed; without a message yet it has no title. */
export function conversationName({ title }: { title: string }): string {
  return title.trim() || 'Untitled';
}
