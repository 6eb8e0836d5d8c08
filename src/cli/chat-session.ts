import { randomUUID } from 'node:crypto';
import { type ApprovalAnswer, answerApproval } from '../client/answer-approval.ts';
import { RequestError, type Server, sendJson } from '../client/client.ts';
import { startRun } from '../client/follow-run.ts';
import type { MessageContent } from '../client/run-events.ts';
import type { Approval, Conversation, Message, Run } from '../client/types.ts';
import { pause } from '../core/pause.ts';
import type { Effort } from '../providers/chat-model.ts';
import type { SecurityMode } from '../tools/tool.ts';
import { CommandError } from './exit-codes.ts';

/** What tools may do by themselves: those of tools/tool.ts, which loads too much for a program that should start at once. */
export const MODES = ['deny', 'sandbox', 'allowlist', 'ask', 'full'] as const satisfies readonly SecurityMode[];

/** What the next message is sent with. */
export interface ChatSettings {
  mode: SecurityMode;
  effort: Effort | undefined;
  model: string | undefined;
  /** Of a conversation that is yet to begin. */
  preset: string | undefined;
  system: string | undefined;
}

/** How often a message is sent again, with the same key, when the way to the server breaks. */
const MOST_TRIES = 6;
const TRY_AGAIN_MS = 500;

/** A conversation as seen from the terminal: what is asked of the server about it. */
export class ChatSession {
  readonly server: Server;
  settings: ChatSettings;
  /** Undefined until the first message. */
  conversation: Conversation | undefined;

  constructor(server: Server, settings: ChatSettings) {
    this.server = server;
    this.settings = settings;
  }

  /** Sends a message, in a new conversation if there is none. @returns the id of its run. @throws RequestError */
  async send(content: MessageContent, signal: AbortSignal): Promise<string> {
    const { mode, effort, model } = this.settings;
    const { id } = this.conversation ?? (await this.begin());
    const message = {
      content,
      securityMode: mode,
      ...(effort === undefined ? {} : { effort }),
      ...(model === undefined ? {} : { model }),
    };
    const key = randomUUID();
    for (let tries = 1; ; tries++) {
      try {
        return await startRun(this.server, id, message, { signal, key });
      } catch (error) {
        const isPassing = error instanceof RequestError && [0, 502, 503].includes(error.status);
        if (!isPassing || tries === MOST_TRIES) throw error;
        if (!(await pause(TRY_AGAIN_MS * tries, signal))) throw error;
      }
    }
  }

  /** Begins a conversation, and makes it the one that is open. */
  async begin(): Promise<Conversation> {
    const { model, preset, system } = this.settings;
    const { conversation } = await sendJson<{ conversation: Conversation }>(this.server, '/api/chat/conversations', {
      method: 'POST',
      body: {
        ...(model === undefined ? {} : { model }),
        ...(preset === undefined ? {} : { presetId: preset }),
        ...(system === undefined ? {} : { systemPrompt: system }),
      },
    });
    this.conversation = conversation;
    return conversation;
  }

  /**
   * Opens a conversation. @param id absent: the one with the newest activity.
   * @returns its last messages, at most `limit`. @throws CommandError if there is none.
   */
  async open(id: string | undefined, limit: number): Promise<Message[]> {
    const found = id ?? (await this.#newest());
    const { conversation, messages } = await sendJson<{ conversation: Conversation; messages: Message[] }>(
      this.server,
      `/api/chat/conversations/${encodeURIComponent(found)}`,
      { query: { limit } },
    );
    this.conversation = conversation;
    return messages;
  }

  async #newest(): Promise<string> {
    const [newest] = await this.recent(1);
    if (!newest) throw new CommandError('There is no conversation to go on with yet.');
    return newest.id;
  }

  /** Conversations, the one with the newest activity first. */
  async recent(limit: number): Promise<Conversation[]> {
    const path = '/api/chat/conversations';
    return (await sendJson<{ conversations: Conversation[] }>(this.server, path, { query: { limit } })).conversations;
  }

  /** The run that goes on or waits in the open conversation, if there is one. */
  async activeRun(): Promise<Run | undefined> {
    if (!this.conversation) return undefined;
    const query = { conversationId: this.conversation.id, limit: 1 };
    const { runs } = await sendJson<{ runs: Run[] }>(this.server, '/api/chat/runs', { query });
    return runs.find(({ finishedAt }) => finishedAt === null);
  }

  /** Changes the open conversation. */
  async change(fields: { title?: string; model?: string }): Promise<void> {
    if (!this.conversation) return;
    const path = `/api/chat/conversations/${this.conversation.id}`;
    const answer = await sendJson<{ conversation: Conversation }>(this.server, path, { method: 'PATCH', body: fields });
    this.conversation = answer.conversation;
  }

  /** Goes on in a copy of the open conversation. */
  async fork(): Promise<Conversation | undefined> {
    if (!this.conversation) return undefined;
    const path = `/api/chat/conversations/${this.conversation.id}/fork`;
    const { conversation } = await sendJson<{ conversation: Conversation }>(this.server, path, {
      method: 'POST',
      body: {},
    });
    this.conversation = conversation;
    return conversation;
  }

  /** The open conversation as it is now. */
  async refresh(): Promise<Conversation | undefined> {
    if (this.conversation) await this.open(this.conversation.id, 1);
    return this.conversation;
  }
}

/** Ends a run; one that has ended already stays as it is. */
export async function cancelRun(server: Server, runId: string): Promise<void> {
  await unlessOver(sendJson(server, `/api/chat/runs/${runId}/cancel`, { method: 'POST', body: {} }));
}

/** Says something to a run. @returns whether it takes it; false: it has ended. */
export async function steerRun(server: Server, runId: string, content: MessageContent): Promise<boolean> {
  return await unlessOver(sendJson(server, `/api/chat/runs/${runId}/messages`, { method: 'POST', body: { content } }));
}

/** Answers an approval. @returns whether it was open. */
export async function answerIfOpen(
  server: Server,
  approval: Pick<Approval, 'id' | 'conversationId'>,
  answer: ApprovalAnswer,
): Promise<boolean> {
  return await unlessOver(answerApproval(server, approval, answer));
}

async function unlessOver(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof RequestError && ['conflict', 'approval_not_found'].includes(error.code)) return false;
    throw error;
  }
}
