import { createHash } from 'node:crypto';

const SCRIPT = `
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text) e.textContent = text; if (cls) e.className = cls; return e; };
const block = (title, value) => { const d = el('div'); d.append(el('h4', title), el('pre', typeof value === 'string' ? value : JSON.stringify(value, null, 2))); return d; };
fetch('/api/openapi.json').then((r) => r.json()).then((doc) => {
  document.querySelector('h1').append(' ', el('small', doc.info.version));
  const resolve = (s) => s && s.$ref ? doc.components.schemas[s.$ref.split('/').pop()] : s;
  const main = document.querySelector('main');
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(methods)) {
    const tag = op.tags[0];
    if (!groups.has(tag)) { const s = el('section'); s.append(el('h2', tag)); main.append(s); groups.set(tag, s); }
    const d = el('details'); const s = el('summary');
    s.append(el('code', method.toUpperCase(), 'method ' + method), el('code', path), el('span', op.summary));
    d.append(s);
    d.addEventListener('toggle', () => {
      if (d.dataset.filled) return;
      d.dataset.filled = '1';
      if (op.description) d.append(el('p', op.description));
      d.append(el('p', 'Scope: ' + op['x-scope']));
      if (op.parameters) d.append(block('Parameters', op.parameters.map((p) => p.name + ' (' + p.in + (p.required ? ', required' : '') + '): ' + JSON.stringify(p.schema)).join('\\n')));
      const body = op.requestBody && op.requestBody.content['application/json'].schema;
      if (body) d.append(block('Body', resolve(body)));
      for (const [status, r] of Object.entries(op.responses)) for (const [type, c] of Object.entries(r.content))
        if (status < 400) d.append(block(status + ' ' + type, resolve(c.schema)));
      d.append(block('Errors', Object.entries(op.responses).filter(([s]) => s >= 400).map(([s, r]) => s + ': ' + r.description).join('\\n')));
    });
    groups.get(tag).append(d);
  }
  const s = el('section'); s.append(el('h2', 'Schemas')); main.append(s);
  for (const [name, schema] of Object.entries(doc.components.schemas)) { const d = el('details'); d.append(el('summary', name), el('pre', JSON.stringify(schema, null, 2))); s.append(d); }
}).catch((error) => { document.querySelector('main').textContent = 'The document cannot be read: ' + error.message; });
`;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 small { font-size: .5em; font-weight: normal; opacity: .7; }
details { border: 1px solid #8884; border-radius: 6px; margin: .4rem 0; padding: .4rem .7rem; }
summary { cursor: pointer; }
summary code { margin-right: .6rem; }
summary span { opacity: .75; }
.method { font-weight: bold; }
pre { background: #8881; border-radius: 6px; overflow: auto; padding: .6rem; max-height: 30rem; }
h4 { margin: .8rem 0 .2rem; }
`;

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What the page may do: run its own script and style, and read from this server. */
export const DOCS_POLICY = `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'`;

/** A reader of the OpenAPI document in one small page, without anything from elsewhere. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>profclaw API</title>
<style>${STYLE}</style>
<h1>profclaw API</h1>
<p>The same as a file: <a href="/api/openapi.json">openapi.json</a></p>
<main></main>
<script>${SCRIPT}</script>
</html>
`;
