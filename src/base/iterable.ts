/** `for await` of a stream where the engine has none (WebKit): Streams Standard 4.2.5, leaving it early cancels. */
import { define } from './own-properties.ts';

export function iterable<T>(stream: ReadableStream<T>): ReadableStream<T> & AsyncIterable<T> {
  const object: object = stream;
  if (Symbol.asyncIterator in object) return object as ReadableStream<T> & AsyncIterable<T>;
  return define(object, Symbol.asyncIterator, {
    value: async function* values(): AsyncGenerator<T> {
      const reader = stream.getReader();
      let isOver = false;
      try {
        for (;;) {
          const { done, value } = await reader.read();
          isOver = done;
          if (done) return;
          yield value;
        }
      } finally {
        if (!isOver) reader.cancel().catch(() => undefined);
        reader.releaseLock();
      }
    },
  }) as ReadableStream<T> & AsyncIterable<T>;
}
