interface ChatAnswer {
  choices: { message?: { content: string }; delta?: { content?: string | null } }[];
}

/**
 * The text of a whole answer.
 * @param isChatForm it has the form of Chat Completions, else our own.
 */
export function wholeText(answer: string, isChatForm: boolean): string | undefined {
  if (isChatForm) return (JSON.parse(answer) as ChatAnswer).choices[0]?.message?.content;
  return (JSON.parse(answer) as { message: { content: string } }).message.content;
}

/** The pieces of text in a stream's body. Parameters like `wholeText`. */
export function streamDeltas(answer: string, isChatForm: boolean): string[] {
  return answer.split('\n\n').flatMap((event) => {
    if (!event.startsWith('data: {')) return [];
    const data = JSON.parse(event.slice(6)) as { content?: string } & Partial<ChatAnswer>;
    const content = isChatForm ? data.choices?.[0]?.delta?.content : data.content;
    // The first piece may say no more than who speaks.
    return content === undefined || content === null || content === '' ? [] : [content];
  });
}
