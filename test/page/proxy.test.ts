import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { answers, say } from './chat.ts';
import { BROWSER, type Rig, startRig } from './rig.ts';

// Below a path of a proxy the page, the login and a conversation work as they do without one.

const ACCESS_KEY = '0123456789abcdef0123';
const PATH = '/chat';

describe.skipIf(!BROWSER)('below a path of a proxy', () => {
  let rig: Rig;
  let server: TestServer;
  let proxy: Server;

  beforeAll(async () => {
    server = await startTestServer({ PROFCLAW_ACCESS_KEY: ACCESS_KEY, PROFCLAW_TRUSTED_PROXIES: '127.0.0.1' });
    proxy = createServer((asked, answer) => {
      const { method, headers, url = '' } = asked;
      if (!url.startsWith(`${PATH}/`)) {
        answer.writeHead(404).end();
        return;
      }
      const upstream = request(server.url + url.slice(PATH.length), { method, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      asked.pipe(upstream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    rig = await startRig();
  });
  afterAll(async () => {
    await rig.stop();
    proxy.closeAllConnections();
    proxy.close();
    await server.stop();
  });

  it('one logs in, asks, and finds it all again', async () => {
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PATH}/`;
    const { page, expectClean } = await rig.open(address);
    await page.getByLabel('Access key').fill(ACCESS_KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await say(page, '/say Under a path');
    await answers(page).getByText('Under a path', { exact: true }).waitFor();
    await page.reload();
    await answers(page).getByText('Under a path', { exact: true }).waitFor();
    expect(page.url()).toContain(`${address}#/chat/conv_`);
    expectClean(/status of 401/);
  });
});
