import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, composer, idOf, say, stored } from './chat.ts';
import { BROWSER, type OpenPage, type Rig, startRig } from './rig.ts';

/** A picture of one pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let rig: Rig;
let server: TestServer;
let open: OpenPage;

describe.skipIf(!BROWSER)('what is attached', () => {
  beforeAll(async () => {
    [rig, server] = await Promise.all([startRig(), startTestServer()]);
  });
  afterAll(async () => {
    await rig?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    await open?.context.close();
    open = await rig.open(server.url);
  });

  /** What the clipboard does when there is a file in it, or a mouse that lets one fall. */
  async function give(kind: 'paste' | 'drop', name: string, type: string, base64: string): Promise<void> {
    const event = { paste: ['ClipboardEvent', 'clipboardData'], drop: ['DragEvent', 'dataTransfer'] }[kind];
    await composer(open.page).focus();
    await open.page.evaluate(`{
      const bytes = Uint8Array.from(atob(${JSON.stringify(base64)}), (char) => char.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], ${JSON.stringify(name)}, { type: ${JSON.stringify(type)} }));
      const about = { bubbles: true, cancelable: true, ${event[1]}: data };
      document.activeElement.dispatchEvent(new ${event[0]}(${JSON.stringify(kind)}, about));
    }`);
  }

  it('is pasted or dropped, sent, and shown with the message', async () => {
    const { page } = open;
    await give('paste', 'dot.png', 'image/png', PNG);
    await page.getByRole('list', { name: 'Attached' }).getByText('dot.png').waitFor();
    await give('drop', 'notes.md', 'text/markdown', Buffer.from('Some notes').toString('base64'));
    await page.getByRole('list', { name: 'Attached' }).getByText('notes.md').waitFor();
    await give('drop', 'gone.txt', 'text/plain', Buffer.from('Away with it').toString('base64'));
    await page.getByRole('button', { name: 'Remove gone.txt' }).click();
    await say(page, '/say Seen');
    await answers(page).getByText('Seen').waitFor();
    const [message] = await stored(server, await idOf(page));
    expect(message.content).toEqual([
      { type: 'image', image: `data:image/png;base64,${PNG}` },
      {
        type: 'file',
        file: `data:text/plain;base64,${Buffer.from('Some notes').toString('base64')}`,
        filename: 'notes.md',
      },
      { type: 'text', text: '/say Seen' },
    ]);
    await page.reload();
    const mine = page.getByRole('article', { name: 'You' });
    await mine.getByText('notes.md').waitFor();
    await mine.getByRole('img', { name: 'Attached' }).waitFor();
    const width = 'document.querySelector("img[alt=Attached]").naturalWidth';
    await expect.poll(() => page.evaluate(width)).toBe(1);
    open.expectClean();
  });

  it('has a limit, and kinds', async () => {
    const { page } = open;
    const files = [
      { name: 'big.txt', mimeType: 'text/plain', buffer: Buffer.alloc(7_000_001, 'a') },
      { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
      { name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.from('mp4') },
      { name: 'fits.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
    ];
    await page.getByLabel('Files to attach').setInputFiles(files);
    await page.getByText('big.txt was not attached: all files together may have 7 MB at most.').waitFor();
    await page.getByText('empty.txt was not attached: it is empty.').waitFor();
    await page.getByText('film.mp4 was not attached: only pictures, PDF and text files can be.').waitFor();
    await page.getByRole('list', { name: 'Attached' }).getByText('fits.pdf').waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'not attached' }).count()).toBe(0);
    open.expectClean();
  });

  it('from elsewhere is a link: nothing is loaded', async () => {
    const { body } = await server.call('/api/chat/conversations', {});
    const content = [
      { type: 'image', image: 'https://pictures.example/a.png' },
      { type: 'text', text: '/say Seen' },
    ];
    const path = `/api/chat/conversations/${body.conversation.id}/messages`;
    await server.call(path, { content, model: 'demo' });
    const { page } = open;
    await page.goto(`${server.url}/#/chat/${body.conversation.id}`);
    await page.getByRole('link', { name: 'https://pictures.example/a.png' }).waitFor();
    await answers(page).getByText('Seen').waitFor();
    open.expectClean();
  });
});
