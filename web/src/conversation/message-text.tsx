import { FileText } from 'lucide-react';
import { useState } from 'react';
import type { MessageContent } from '../../../src/client/run-events.ts';
import { Link } from '../markdown/link.tsx';
import './message-text.css';

/** Characters of a text that are shown at first. */
const MOST_CHARS = 4000;

/** What a person has said, as they wrote it, with pictures and files. Nothing is loaded for it from elsewhere. */
export function MessageText({ content }: { content: MessageContent }): React.ReactNode {
  if (typeof content === 'string') return <PlainText text={content} />;
  const parts = content.map((part, index) => ({ part, key: `${part.type} ${index}` }));
  return (
    <>
      {parts.map(({ part, key }) => {
        if (part.type === 'text') return <PlainText key={key} text={part.text} />;
        if (part.type === 'image') return <Picture key={key} source={part.image} />;
        return <Attached key={key} name={part.filename} source={part.file} />;
      })}
    </>
  );
}

function PlainText({ text }: { text: string }): React.ReactNode {
  const [isWhole, setIsWhole] = useState(false);
  const isCut = !isWhole && text.length > MOST_CHARS;
  return (
    <div className="message-text">
      {isCut ? `${text.slice(0, MOST_CHARS)}…` : text}
      {isCut && (
        <div>
          <button type="button" className="quiet small" onClick={() => setIsWhole(true)}>
            Show all {text.length.toLocaleString('en')} characters
          </button>
        </div>
      )}
    </div>
  );
}

function Picture({ source }: { source: string }): React.ReactNode {
  if (/^data:image\/(png|jpeg|gif|webp|avif)[;,]/i.test(source))
    return <img className="message-picture" src={source} alt="Attached" />;
  return <Attached name={undefined} source={source} />;
}

function Attached({ name, source }: { name: string | undefined; source: string }): React.ReactNode {
  const isLink = /^https?:\/\//i.test(source);
  const kind = /^data:([^;,]+)/i.exec(source)?.[1] ?? 'file';
  return (
    <div className="message-file">
      <FileText size={16} aria-hidden />
      {isLink ? (
        <Link address={source} text={name ?? source}>
          {name ?? source}
        </Link>
      ) : (
        <span>{name ?? kind}</span>
      )}
    </div>
  );
}
