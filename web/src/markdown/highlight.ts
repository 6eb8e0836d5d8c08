import { common, createLowlight } from 'lowlight';
import type { Highlight, Span } from './segments.ts';

// Loaded when the first code is shown: the grammars are larger than all the rest of the page.
const lowlight = createLowlight(common);

type Nodes = ReturnType<typeof lowlight.highlight>['children'];

/** Reads code by the grammar of its language, as pieces with what they are; as it is if there is no such grammar. */
export const highlight: Highlight = (text, language) => {
  if (!lowlight.registered(language)) return [{ text, kind: undefined }];
  const spans: Span[] = [];
  flatten(lowlight.highlight(language, text).children, undefined, spans);
  return spans;
};

function flatten(nodes: Nodes, kind: string | undefined, spans: Span[]): void {
  for (const node of nodes) {
    if (node.type === 'text') spans.push({ text: node.value, kind });
    else if (node.type === 'element') {
      const { className } = node.properties;
      const name = Array.isArray(className) ? String(className[0] ?? '') : '';
      flatten(node.children, name.startsWith('hljs-') ? name.slice('hljs-'.length) : (kind ?? ''), spans);
    }
  }
}
