import { memo } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import { CodeText } from './code-text.tsx';
import './code.css';

const LIMITS = { lines: 5000, characters: 200_000, colours: 200_000 };

/**
 * Code in an answer, with its language and a button that copies it.
 * @param isOpen more of it is to come.
 */
export const CodeBlock = memo(function CodeBlock({
  text,
  language,
  isOpen = false,
}: {
  text: string;
  language: string;
  isOpen?: boolean;
}): React.ReactNode {
  const name = language.slice(0, 40);
  // The first signs of the closing fence are not code.
  const shown = isOpen ? text.replace(/(?:^|\n) {0,3}[`~]{1,20}$/, '') : text;
  return (
    <div className="code">
      <div className="code-head">
        <span className="grow">{name === '' ? 'text' : name}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      <CodeText text={shown} language={name} isOpen={isOpen} limits={LIMITS} />
    </div>
  );
});
