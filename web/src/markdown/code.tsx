import { memo } from 'react';
import { CodeText } from './code-text.tsx';
import './code.css';

const LIMITS = { lines: 400, characters: 50_000, colours: 50_000 };

/** Code or output in full, to be read and copied; `language` as in a Markdown fence. */
export const Code = memo(function Code({ text, language = '' }: { text: string; language?: string }): React.ReactNode {
  return (
    <div className="code code-output">
      <CodeText text={text} language={language} limits={LIMITS} />
    </div>
  );
});
