import { Component, memo, type ReactNode } from 'react';
import ReactMarkdown, { type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { isBeyondBounds } from './bounds.ts';
import { type Definitions, definitionsFor } from './definitions.ts';
import { ELEMENTS } from './elements.tsx';
import { PlainText } from './plain-text.tsx';

type Plugins = NonNullable<Options['remarkPlugins']>;
type Rehype = NonNullable<Options['remarkRehypeOptions']>;

/** HTML is not Markdown here: it is read as the text that it is. */
const withoutHtml: Plugins[number] = function (this) {
  const data = this.data() as { micromarkExtensions?: unknown[] };
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), { disable: { null: ['htmlFlow', 'htmlText'] } }];
};

const PLUGINS: Plugins = [[remarkGfm, { singleTilde: false }], withoutHtml];

/** Footnotes stand where they are written: what they say is a block of its own, here is only their mark. */
const REHYPE: Rehype = {
  handlers: {
    footnoteReference: (_, { identifier }: { identifier: string }) => ({
      type: 'element',
      tagName: 'sup',
      properties: {},
      children: [{ type: 'text', value: `[${identifier}]` }],
    }),
    footnoteDefinition: () => undefined,
  },
};

/** A block of Markdown other than code; as plain text if it is made so that reading it would take too long. */
export const TextBlock = memo(function TextBlock({
  text,
  definitions,
}: {
  text: string;
  definitions: Definitions;
}): ReactNode {
  if (isBeyondBounds(text)) return <PlainText text={text} />;
  return (
    <Fallback text={text}>
      <ReactMarkdown
        remarkPlugins={PLUGINS}
        remarkRehypeOptions={REHYPE}
        components={ELEMENTS}
        urlTransform={asWritten}
      >
        {text + definitionsFor(text, definitions)}
      </ReactMarkdown>
    </Fallback>
  );
});

/** Links are looked at where they are shown. */
function asWritten(address: string): string {
  return address;
}

/** What cannot be rendered is shown as it is written. */
class Fallback extends Component<{ text: string; children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    return this.state.hasFailed ? <PlainText text={this.props.text} /> : this.props.children;
  }
}
