import { memo, useMemo, useRef, useState } from 'react';
import { type Block, NO_TEXT, type Split, splitBlocks } from './blocks.ts';
import { CodeBlock } from './code-block.tsx';
import { type Definitions, definitionsOf } from './definitions.ts';
import { PlainText } from './plain-text.tsx';
import { TextBlock } from './text-block.tsx';
import { useAllowance } from './use-allowance.ts';
import { useCalm } from './use-calm.ts';
import { withEndsClosed } from './with-ends-closed.ts';
import './markdown.css';

/** So many characters and blocks are shown at first, and with each press of the button more. */
const PAGE = 200_000;
const PAGE_BLOCKS = 2000;
/** What a block costs besides its text, in characters. */
const BLOCK_COST = 100;
/** From so many characters on only what is seen is laid out and painted. */
const LONG = 30_000;
const NO_DEFINITIONS: Definitions = new Map();

/**
 * Text that a model or a tool has written, as Markdown. Nothing in it is carried out or loaded.
 * @param isStreaming more of it is to come: it is rendered anew often, at its end only.
 */
export const Markdown = memo(function Markdown({
  text,
  isStreaming = false,
}: {
  text: string;
  isStreaming?: boolean;
}): React.ReactNode {
  const [pages, setPages] = useState(1);
  const shown = text.length > pages * PAGE ? text.slice(0, pages * PAGE) : text;
  const { blocks: all, definitions } = useBlocks(shown);
  const blocks = all.length > pages * PAGE_BLOCKS ? all.slice(0, pages * PAGE_BLOCKS) : all;
  const isCut = shown.length < text.length || blocks.length < all.length;
  const allowed = useAllowance(shown.length + blocks.length * BLOCK_COST);
  return (
    <div className={shown.length > LONG ? 'md md-long' : 'md'} dir="auto">
      {blocks.map((block, index) => {
        const isOpen = isStreaming && !isCut && index === blocks.length - 1;
        return block.start + index * BLOCK_COST < allowed ? (
          <Shown key={block.start} block={block} isOpen={isOpen} definitions={definitions} />
        ) : (
          <PlainText key={block.start} text={block.text} />
        );
      })}
      {isCut && (
        <button type="button" onClick={() => setPages(pages + 1)}>
          Show more of {Math.ceil(text.length / 1000).toLocaleString('en')} KB
        </button>
      )}
    </div>
  );
});

function useBlocks(text: string): { blocks: readonly Block[]; definitions: Definitions } {
  const split = useRef<Split>(NO_TEXT);
  const known = useRef<Definitions>(NO_DEFINITIONS);
  return useMemo(() => {
    split.current = splitBlocks(text, split.current);
    known.current = definitionsOf(split.current.blocks, known.current);
    return { blocks: split.current.blocks, definitions: known.current };
  }, [text]);
}

const Shown = memo(function Shown({
  block,
  isOpen,
  definitions,
}: {
  block: Block;
  isOpen: boolean;
  definitions: Definitions;
}): React.ReactNode {
  const text = useCalm(block.text, isOpen && block.kind !== 'code');
  if (block.kind === 'code')
    return <CodeBlock text={text} language={block.language} isOpen={isOpen && !block.isClosed} />;
  const body = <TextBlock text={isOpen ? withEndsClosed(text) : text} definitions={definitions} />;
  if (block.kind === 'text') return body;
  return (
    <div className="md-footnote" role="note">
      <sup>[{block.label}]</sup>
      <div className="grow">{body}</div>
    </div>
  );
});
