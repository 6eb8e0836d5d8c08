import { startTestServer, type TestServer } from '../server.ts';
import { type Line, startScriptVendor } from './script-vendor.ts';

/** A server with something to see on every view. */
export interface Stage {
  /** Markdown with code, a table and a list. */
  conversation: string;
  /** A finished run with edits. */
  agent: { conversation: string; run: string };
  /** A run that waits for an approval. */
  waiting: { conversation: string; run: string };
}

const ANSWER = `A **token bucket** holds at most *n* tokens, and is filled at a steady rate. Each request takes one:

\`\`\`ts
export function take(bucket: Bucket, now: number): boolean {
  const filled = bucket.tokens + (now - bucket.at) * bucket.perMs;
  bucket.tokens = Math.min(bucket.size, filled);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
\`\`\`

| | bursts | memory |
|---|---|---|
| token bucket | up to its size | two numbers |
| sliding log | exact | every request |

1. Choose the size by the burst that you can bear.
2. Choose the rate by what you can serve for hours.

See [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585) for the status \`429\`.`;

const TIDY = 'Tidy up the notes, please: one file, with what we have decided.';
const HISTORY = 'What has changed since yesterday?';

const SCRIPT: Readonly<Record<string, readonly Line[]>> = {
  [TIDY]: [
    {
      reasoning: 'First I look at what there is. Then one file is enough.',
      calls: [['list_directory', {}]],
    },
    { calls: [['write_file', { path: 'notes.md', content: '# Notes\n\n- Rate limits: token bucket\n- Retries\n' }]] },
    {
      say: 'Retries should have jitter, as you said on Monday.',
      calls: [['edit_file', { path: 'notes.md', old: '- Retries', new: '- Retries, with jitter' }]],
    },
    { say: 'Everything is in `notes.md` now, with two entries.' },
  ],
  [HISTORY]: [
    {
      say: 'Let me look at the history.',
      calls: [['exec', { command: 'git log --since=yesterday --stat | head -40' }]],
    },
  ],
};

/** Starts a server with something to see on every view, and the vendor that it asks. */
export async function startStage(): Promise<{ server: TestServer; stage: Stage; stop(): Promise<void> }> {
  const vendor = await startScriptVendor(SCRIPT);
  const server = await startTestServer({ DEEPSEEK_API_KEY: 'sk-deepseek', DEEPSEEK_BASE_URL: vendor.url });
  const imported = await server.call('/api/chat/conversations/import', {
    conversation: { title: 'Rate limits, explained' },
    messages: [
      { role: 'user', content: 'How does a token bucket work? Show me one in TypeScript.' },
      { role: 'assistant', content: ANSWER, reasoning: 'They want code. Keep it short, and compare with a log.' },
    ],
  });
  await server.call('/api/chat/tools/rules', { tool: 'exec', match: { command: 'git status *' }, action: 'allow' });
  await server.call('/api/keys', { name: 'my app', scopes: ['chat'], rateLimit: 60 });
  const stage = {
    conversation: imported.body.conversation.id,
    agent: await startAgent(server, TIDY, 'full'),
    waiting: await startAgent(server, HISTORY, 'ask'),
  };
  return {
    server,
    stage,
    stop: async () => {
      await server.stop();
      vendor.stop();
    },
  };
}

/** @returns when it has ended, or waits. */
async function startAgent(
  server: TestServer,
  content: string,
  securityMode: string,
): Promise<{ conversation: string; run: string }> {
  const made = await server.call('/api/chat/conversations', {});
  const conversation = made.body.conversation.id;
  const body = { content, securityMode };
  const answer = await server.call(`/api/chat/conversations/${conversation}/messages/with-tools`, body);
  return { conversation, run: answer.body.runId };
}
