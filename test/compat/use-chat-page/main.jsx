import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from 'ai';
import { lasting } from 'docs/use-chat.md';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const { api, id, model } = Object.fromEntries(new URLSearchParams(location.search));
const transport = new DefaultChatTransport({ api, body: { model, securityMode: 'ask' } });

/** As docs/use-chat.md has it, for a page that keeps its messages itself. */
function Page() {
  const [ends, setEnds] = useState(0);
  const { messages, status, error, sendMessage, regenerate, stop, addToolApprovalResponse } = useChat({
    ...{ id, transport, resume: true, messages: JSON.parse(sessionStorage.getItem(id) ?? '[]') },
    onFinish: () => setEnds((before) => before + 1),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  });
  useEffect(() => sessionStorage.setItem(id, JSON.stringify(messages)), [messages]);
  const send = (event) => {
    event.preventDefault();
    void sendMessage({ text: event.target.elements.text.value });
    event.target.reset();
  };
  return (
    <main>
      {messages.map((message) => (
        <article key={message.id} aria-label={message.role} data-parts={message.parts.length}>
          {Object.entries(lasting(message.parts)).map(([key, part]) => (
            <Part key={key} part={part} answer={addToolApprovalResponse} />
          ))}
        </article>
      ))}
      <output data-ends={ends}>{error ? `error: ${error.message}` : status}</output>
      <form onSubmit={send}>
        <textarea name="text" aria-label="Message" />
        <button type="submit">Send</button>
      </form>
      <button type="button" onClick={() => stop()}>
        Stop
      </button>
      <button type="button" onClick={() => regenerate()}>
        Again
      </button>
    </main>
  );
}

function Part({ part, answer }) {
  if (part.type === 'text') return <p>{part.text}</p>;
  if (part.type === 'reasoning') return <blockquote>{part.text}</blockquote>;
  if (part.type !== 'dynamic-tool') return null;
  const { toolName, state, approval } = part;
  return (
    <section aria-label={toolName}>
      <code>{state}</code>
      {state === 'approval-requested' && (
        <>
          <button type="button" onClick={() => answer({ id: approval.id, approved: true })}>
            Allow
          </button>
          <button type="button" onClick={() => answer({ id: approval.id, approved: false, reason: 'not on a Sunday' })}>
            Deny
          </button>
        </>
      )}
    </section>
  );
}

createRoot(document.getElementById('page')).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
