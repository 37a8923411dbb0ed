/** What is used of libraries that declare no types of their own. */
declare module 'ws-6' {
  export { WebSocketServer as Server } from 'ws';
}
declare module 'ws-7' {
  export { WebSocketServer as Server } from 'ws';
}
declare module 'ws-8.0' {
  export { WebSocketServer } from 'ws';
}
declare module 'faye-websocket' {
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';
  export default class Faye {
    constructor(request: IncomingMessage, network: Duplex, head: Buffer);
  }
}
declare module 'websocket' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage, Server } from 'node:http';
  import type { Duplex } from 'node:stream';
  export class server extends EventEmitter {
    mount(config: { httpServer: Server; maxReceivedFrameSize: number; maxReceivedMessageSize: number }): void;
    handleUpgrade(request: IncomingMessage, network: Duplex, head: Buffer): void;
  }
}
