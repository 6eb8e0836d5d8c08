import { setTimeout as pause } from 'node:timers/promises';
import { Chat } from '@ai-sdk/react';
import {
  DefaultChatTransport,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  type UIMessage,
} from 'ai';
import type { Tool } from '../../src/tools/tool.ts';
import { TOOLS } from '../matrix/fake.ts';
import type { Json } from '../server.ts';
import type { Seen, Step, Talk, TalkOptions } from './talks.ts';

/** What the tools of the server find, by the place that they are asked for. */
const labels = new Map<string, string>();

/** The tools of the fakes as the server's own, each call of which is asked about. */
export const SERVER_TOOLS: readonly Tool[] = TOOLS.map(
  ({ name, description, parameters }): Tool => ({
    ...{ name, description, level: 'moderate', effect: 'read', isForSandbox: false, rulesOn: [] },
    inputSchema: parameters as Json,
    check: () => [],
    subjects: () => ({}),
    identity: (given) => given,
    run: ({ place }) => Promise.resolve({ text: labels.get(`${place}`) ?? 'no such place', isError: false }),
  }),
);

/** A chat of the AI SDK. @param id of another chat: what that is being answered can be read by both. */
export function uiChat({ url, key, model, system, tools }: TalkOptions, id?: string): Chat<UIMessage> {
  const names = tools.map(({ name }) => name);
  return new Chat<UIMessage>({
    ...(id === undefined ? {} : { id }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    transport: new DefaultChatTransport({
      api: `${url}/api/chat/ui`,
      headers: { authorization: `Bearer ${key}` },
      body: { model, systemPrompt: system, securityMode: 'ask', tools: names },
    }),
  });
}

/** The text or the reasoning that a chat shows of its last message. @param from the first part that counts. */
export function shown(chat: Chat<UIMessage>, type: 'text' | 'reasoning', from = 0): string {
  const parts = chat.lastMessage?.role === 'assistant' ? chat.lastMessage.parts.slice(from) : [];
  return parts.flatMap((part) => (part.type === type ? [part.text] : [])).join('');
}

/** The UI stream: the server carries out the tools, and a person allows it in the chat. */
export class UiTalk implements Talk {
  readonly #chat: Chat<UIMessage>;

  constructor(options: TalkOptions) {
    this.#chat = uiChat(options);
  }

  async step({ say, image }: Step): Promise<Seen> {
    const from = typeof say === 'string' ? 0 : (this.#chat.lastMessage?.parts.length ?? 0);
    if (typeof say === 'string') {
      const url = `data:image/png;base64,${image}`;
      const files = image === undefined ? [] : [{ type: 'file' as const, mediaType: 'image/png', url }];
      await this.#chat.sendMessage({ text: say, files });
    } else await this.#allow(say);
    if (this.#chat.error) throw this.#chat.error;
    const waiting = this.#calls().filter(({ state }) => state === 'approval-requested');
    return {
      text: shown(this.#chat, 'text', from),
      reasoning: shown(this.#chat, 'reasoning', from),
      calls: waiting.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, args: input })),
    };
  }

  /** @param results what the calls that wait are to find. */
  async #allow(results: string[]): Promise<void> {
    const calls = this.#calls();
    for (const [index, { input }] of calls.entries()) labels.set(input.place, results[index] ?? '');
    for (const { approval } of calls) await this.#chat.addToolApprovalResponse({ id: approval.id, approved: true });
    while (this.#chat.status === 'submitted' || this.#chat.status === 'streaming') await pause(5);
    const outputs = this.#calls().map(({ output }) => output);
    if (outputs.join() !== results.join()) throw new Error(`The chat shows the results ${JSON.stringify(outputs)}`);
  }

  #calls(): Json[] {
    return (this.#chat.lastMessage?.parts ?? []).filter(isToolUIPart);
  }
}
