import type { ReactNode } from 'react';

/** Orders to the demo model: docs/demo.md. */
const EXAMPLES: readonly { title: string; text: string }[] = [
  { title: 'An answer that streams', text: '/stream 60 50' },
  {
    title: 'Thinking before the answer',
    text: '/reason First the question is read. Then what is known is put together.\n/say That was the thinking, and this is the answer.',
  },
  {
    title: 'A tool that asks first',
    text: '/say I write a file.\n/tool write_file {"path": "demo.txt", "content": "Written by the demo.\\n"}\n/next\n/say It is written.',
  },
];

/** What works without anything: a script in place of a model. */
export function DemoPart({ onTry }: { onTry: ((text: string) => void) | undefined }): ReactNode {
  return (
    <div className="card">
      <h3>With nothing, for a look around</h3>
      <p className="small">
        The message field below works now, with a scripted demo in place of a model: it does what lines that begin with
        a slash tell it{onTry ? ':' : ', such as'}
      </p>
      {onTry ? (
        <div className="row">
          {EXAMPLES.map(({ title, text }) => (
            <button key={title} type="button" onClick={() => onTry(text)}>
              {title}
            </button>
          ))}
        </div>
      ) : (
        <dl className="first-start-orders small">
          {EXAMPLES.map(({ title, text }) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>
                <pre>{text}</pre>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
