/** The code under test: it joins a chat and keeps what is said there. It knows nothing of any mock. */
import { PQWebSocket } from 'pq-websocket';

export interface Line {
  readonly from: string;
  readonly text: string;
}

export class Chat {
  readonly lines: Line[] = [];
  /** Why the server has sent this client away, if it has. */
  refusal: string | undefined;
  readonly socket: PQWebSocket;

  constructor(url: string, name: string, changed: () => void) {
    this.socket = new PQWebSocket(url);
    this.socket.addEventListener('open', () => {
      this.socket.send(JSON.stringify({ join: name }));
    });
    this.socket.addEventListener('message', ({ data }) => {
      this.lines.push(JSON.parse(data as string) as Line);
      changed();
    });
    this.socket.addEventListener('close', ({ code, reason }) => {
      if (code === 4409) this.refusal = reason;
      changed();
    });
  }

  say(text: string): void {
    this.socket.send(JSON.stringify({ text }));
  }
}
