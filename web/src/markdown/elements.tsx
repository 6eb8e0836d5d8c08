import type { ComponentProps, JSX } from 'react';
import type { Components, ExtraProps } from 'react-markdown';
import { CodeBlock } from './code-block.tsx';
import { Link } from './link.tsx';

type Element = NonNullable<ExtraProps['node']>;
type Props<T extends keyof JSX.IntrinsicElements> = ComponentProps<T> & ExtraProps;

/** What stands for each element of Markdown. Headings begin below those of the page. */
export const ELEMENTS: Components = {
  a: Anchor,
  img: Picture,
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
  pre: Fenced,
  table: Table,
  input: Box,
};

function Anchor({ node, href = '', children }: Props<'a'>): React.ReactNode {
  return (
    <Link address={href} text={textOf(node)}>
      {children}
    </Link>
  );
}

/** Nothing is loaded: whoever sends a picture's address would learn that it is looked at. */
function Picture({ src, alt = '' }: Props<'img'>): React.ReactNode {
  const name = `Image: ${alt === '' ? 'without a description' : alt}`;
  return (
    <Link address={typeof src === 'string' ? src : ''} text={name}>
      [{name}]
    </Link>
  );
}

function Fenced({ node }: Props<'pre'>): React.ReactNode {
  const code = node?.children[0];
  const className = code?.type === 'element' ? code.properties.className : undefined;
  const names = Array.isArray(className) ? className.map(String) : [];
  const language = names.find((name) => name.startsWith('language-'))?.slice('language-'.length);
  return <CodeBlock text={textOf(node).replace(/\n$/, '')} language={language ?? ''} />;
}

function Table({ children }: Props<'table'>): React.ReactNode {
  return (
    // biome-ignore-start lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    // biome-ignore-start lint/a11y/useSemanticElements: not something to fill in
    <div className="scroll-x md-table" role="group" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </div>
    // biome-ignore-end lint/a11y/useSemanticElements: not something to fill in
    // biome-ignore-end lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
  );
}

/** Of a list of tasks. */
function Box({ checked }: Props<'input'>): React.ReactNode {
  return <input type="checkbox" checked={checked === true} readOnly disabled aria-label={checked ? 'done' : 'to do'} />;
}

function textOf(node: Element | undefined): string {
  if (!node) return '';
  return node.children
    .map((child) => {
      if (child.type === 'text') return child.value;
      return child.type === 'element' ? textOf(child) : '';
    })
    .join('');
}
