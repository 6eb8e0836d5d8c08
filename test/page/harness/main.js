import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { Code } from '../../../web/src/markdown/code.tsx';
import { Diff } from '../../../web/src/markdown/diff.tsx';
import { Markdown } from '../../../web/src/markdown/markdown.tsx';
import '../../../web/src/styles.css';

// What a test has the page show: `show('Markdown', { text })`.
const COMPONENTS = { Markdown, Code, Diff };
const root = createRoot(document.getElementById('page'));

window.show = (name, props) =>
  root.render(
    createElement(
      'main',
      { style: { padding: '1rem', maxWidth: '48rem', margin: 'auto' } },
      createElement('h1', {}, 'Text'),
      createElement('label', {}, 'Message', createElement('textarea')),
      createElement('h2', {}, 'Answer'),
      createElement(COMPONENTS[name], props),
    ),
  );
