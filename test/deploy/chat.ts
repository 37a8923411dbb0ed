/** The client of examples/deploy/chat, with types. */
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { PQWebSocketOptions } from '../../src/index.ts';
import { EXAMPLES } from './stack.ts';

export interface ChatMessage {
  readonly number: number;
  readonly id: string;
  readonly text: string;
}

export interface ChatClient {
  readonly log: readonly ChatMessage[];
  readonly connections: number;
  say(text: string): Promise<void>;
  close(): void;
}

type ChatConstructor = new (
  url: string,
  onMessage?: (message: ChatMessage) => void,
  options?: PQWebSocketOptions,
) => ChatClient;

const { Chat } = (await import(path.join(EXAMPLES, 'chat/client.js'))) as { Chat: ChatConstructor };

/** Ends with the test. */
export function openChat(url: string, options: PQWebSocketOptions = {}): ChatClient {
  const chat = new Chat(url, undefined, { rejectUnauthorized: false, ...options });
  onTestFinished(() => {
    chat.close();
  });
  return chat;
}
