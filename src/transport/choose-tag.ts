/** `#underlying-class` of the script tag, whose sockets are always given the class that was in their place, or streams over that. */
import type { WebSocketConstructor } from '../platform/platform.ts';
import { givenClass } from './choose.ts';

export function underlyingClass(where: string, option: unknown): WebSocketConstructor {
  return givenClass(where, option as WebSocketConstructor);
}
