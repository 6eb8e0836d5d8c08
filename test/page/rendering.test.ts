import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';
import { show, startTextPage, type TextPage } from './text-page.ts';

const TEXT = `# Title

Text with **weight**, \`code\`, a [page](https://example.com/a), [a label][l], https://auto.example/b and a note[^n].

[https://good.example](https://evil.example/x) and [here](javascript:alert(1)) ![a chart](https://example.com/c.png)

- [x] done
- [ ] open

| Name | Value |
|:-----|------:|
| one  | 1     |

\`\`\`typescript
// says hello
export const hello = (name: string) => \`Hello \${name}\`;
\`\`\`

> quoted

[l]: https://example.org/

[^n]: What the note says.
`;

describe.skipIf(!BROWSER)('text', () => {
  let rig: Rig;
  let site: TextPage;
  let open: OpenPage;
  beforeAll(async () => {
    [rig, site] = await Promise.all([startRig(), startTextPage()]);
    open = await rig.open(site.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  });
  afterAll(async () => {
    await rig?.stop();
    site?.stop();
  });

  it('is laid out by the direction of each paragraph', async () => {
    const { page } = open;
    await show(page, 'Markdown', { text: 'English first.\n\n\u0645\u0631\u062d\u0628\u0627.' });
    const gaps = await page.locator('.md > p').evaluateAll((all) =>
      (all as unknown as Laid[]).map((paragraph) => {
        const { document } = globalThis as unknown as { document: { createRange(): Range } };
        const range = document.createRange();
        range.selectNodeContents(paragraph);
        return paragraph.getBoundingClientRect().right - range.getBoundingClientRect().right;
      }),
    );
    expect(gaps[0]).toBeGreaterThan(100);
    expect(gaps[1]).toBeLessThan(1);
    open.expectClean();
  });

  it('is shown as Markdown', async () => {
    const { page } = open;
    await show(page, 'Markdown', { text: TEXT });
    await page.getByRole('heading', { name: 'Title', level: 3 }).waitFor();
    expect(await page.getByRole('link', { name: 'page', exact: true }).getAttribute('href')).toBe(
      'https://example.com/a',
    );
    expect(await page.getByRole('link', { name: 'a label' }).getAttribute('href')).toBe('https://example.org/');
    await page.getByRole('link', { name: 'https://auto.example/b', exact: true }).waitFor();
    await page.getByRole('link', { name: 'https://good.example (evil.example)' }).waitFor();
    expect(await page.getByRole('link', { name: 'here' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Image: a chart' }).getAttribute('href')).toBe(
      'https://example.com/c.png',
    );
    expect(await page.getByRole('checkbox', { name: 'done' }).isChecked()).toBe(true);
    expect(await page.getByRole('checkbox', { name: 'to do' }).isChecked()).toBe(false);
    await page.getByRole('group', { name: 'Table' }).getByRole('cell', { name: 'one' }).waitFor();
    await page.getByRole('note').getByText('What the note says.').waitFor();
    open.expectClean();
  });

  it('code has its colours, its language and can be copied', async () => {
    const { page } = open;
    await show(page, 'Markdown', { text: TEXT });
    const code = page.getByRole('group', { name: 'Code, typescript' });
    await code.locator('.code-comment', { hasText: '// says hello' }).waitFor();
    await code.locator('.code-keyword', { hasText: 'export' }).waitFor();
    await page.getByRole('button', { name: 'Copy code' }).click();
    await page.getByRole('status').getByText('Copied').waitFor({ state: 'attached' });
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      TEXT.split('```')[1]?.replace('typescript\n', '').trimEnd(),
    );
    open.expectClean();
  });

  it('code that is still being written has what is there, and its colours at the end', async () => {
    const { page } = open;
    const lines = Array.from({ length: 300 }, (_, at) => `export const value${at} = ${at};`);
    for (const length of [1, 10, 150, 300]) {
      const text = `\`\`\`ts\n${lines.slice(0, length).join('\n')}\n\`\``;
      await show(page, 'Markdown', { text, isStreaming: true });
      await page
        .getByRole('group', { name: 'Code, ts' })
        .getByText(`value${length - 1} `)
        .waitFor();
    }
    await show(page, 'Markdown', { text: `\`\`\`ts\n${lines.join('\n')}\n\`\`\`` });
    const code = page.getByRole('group', { name: 'Code, ts' });
    await expect.poll(() => code.locator('.code-keyword').count()).toBe(600);
    expect(await code.textContent()).toBe(lines.join('\n'));
    open.expectClean();
  });

  it('long output is cut until somebody asks for all of it, and terminals are not imitated', async () => {
    const { page } = open;
    const text = `\u001b[31mred\u001b[0m\n${'line\n'.repeat(1000)}the end`;
    await show(page, 'Code', { text });
    const code = page.getByRole('group', { name: 'Code' });
    expect(await code.getByText('the end').count()).toBe(0);
    await page.getByRole('button', { name: 'Show all (1,002 lines)' }).click();
    await code.getByText('the end').waitFor({ state: 'attached' });
    expect((await code.textContent())?.startsWith('red\nline')).toBe(true);
    open.expectClean();
  });

  it('changes are marked by line and by word, and said in words', async () => {
    const { page } = open;
    const before = `${'same\n'.repeat(20)}const count = 1;\n${'same\n'.repeat(20)}`;
    await show(page, 'Diff', { before, after: before.replace('1;', '2;'), name: 'a.ts' });
    const diff = page.getByRole('group', { name: 'Changes of a.ts' });
    await diff
      .getByText('Removed: const count = 1;')
      .or(diff.getByText('Removed:'))
      .first()
      .waitFor({ state: 'attached' });
    expect(await diff.locator('mark').allTextContents()).toEqual(['1', '2']);
    expect(await diff.getByText('same').count()).toBe(6);
    expect(await diff.textContent()).toContain('Added: const count = 2;');
    await show(page, 'Diff', { before, after: before });
    await page.getByText('Nothing changes.').waitFor();
    await show(page, 'Diff', { before: 'a\n'.repeat(10_001), after: 'b\n' });
    await page.getByText('Too large to be compared').waitFor();
    open.expectClean();
  });

  it.each(['light', 'dark'] as const)('has no barriers, %s', async (colorScheme) => {
    const { page } = open;
    await page.emulateMedia({ colorScheme });
    await show(page, 'Markdown', { text: TEXT });
    await page.locator('.code-keyword').first().waitFor();
    await page.evaluate(axe.source);
    const found = await page.evaluate<string[]>(
      `axe.run('main').then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
    );
    expect(found).toEqual([]);
    open.expectClean();
  });

  it('nothing is wider than a phone', async () => {
    const narrow = await rig.open(site.url, { viewport: { width: 360, height: 700 } });
    const text = `${TEXT}\n\n${'x'.repeat(500)}\n\n| ${'wide | '.repeat(20)}\n|${'-|'.repeat(20)}\n`;
    await show(narrow.page, 'Markdown', { text });
    await narrow.page.getByText('xxxx').waitFor();
    expect(await narrow.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    narrow.expectClean();
  });
});

interface Laid {
  getBoundingClientRect(): { right: number };
}

interface Range extends Laid {
  selectNodeContents(node: unknown): void;
}
