/** Code under test of mock-libraries.test.ts, as an application has it: it knows the class by its package's name. */
import { PQWebSocket } from 'pq-websocket';

/** Asks, and gives the answer. */
export function ask(url: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new PQWebSocket(url);
    socket.onopen = (): void => {
      socket.send(question);
    };
    socket.onmessage = ({ data }): void => {
      resolve(String(data));
      socket.close(1000);
    };
    socket.onclose = ({ code }): void => {
      reject(new Error(`closed with ${code}`));
    };
  });
}
