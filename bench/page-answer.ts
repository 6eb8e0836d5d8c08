import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider that says the same long answer to everybody, a piece at a time. */
export interface AnswerServer {
  url: string;
  stop(): void;
}

const PIECE = /\s*\S+/g;

/** Prose with a list, a table and code, over and over, in the pieces that providers send. */
export function answer(paragraphs: number): string[] {
  const text = Array.from({ length: paragraphs }, (_, at) => paragraph(at)).join('\n\n');
  return text.match(PIECE) ?? [];
}

function paragraph(at: number): string {
  const prose = `Part ${at} says **something** about \`values\` and [a page](https://example.com/${at}), in words as models write them, so that a few lines of the page are filled by it.`;
  if (at % 4 === 1) return `${prose}\n\n- one thing\n- another **thing**\n- and \`a third\``;
  if (at % 4 === 2)
    return `${prose}\n\n\`\`\`typescript\n// part ${at}\nexport function part${at}(value: number): string {\n  return value > ${at} ? 'more' : 'less';\n}\n\`\`\``;
  if (at % 4 === 3) return `${prose}\n\n| Name | Value |\n|------|-------|\n| one | ${at} |\n| two | ${at * 2} |`;
  return prose;
}

/** Starts it in this process. */
export async function startAnswers(pieces: readonly string[], perSecond: number): Promise<AnswerServer> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const startedAt = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(pieces.length, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
      for (; sent < due; sent++) response.write(chunk({ delta: { content: pieces[sent] } }));
      if (sent < pieces.length) return;
      clearInterval(timer);
      response.end(`${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`);
    }, 1000 / perSecond);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function chunk(choice: object): string {
  const body = {
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'bench',
    choices: [{ index: 0, ...choice }],
  };
  return `data: ${JSON.stringify(body)}\n\n`;
}
