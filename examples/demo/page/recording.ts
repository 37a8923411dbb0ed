/** The page's tap: the browser's own WebSocket, with a look at every frame that goes in and comes out. */

import { describeFrame, describeTransportClose, type Direction, type Frame } from '../ledger.ts';

type SendData = Parameters<WebSocket['send']>[0];

function frameOf(data: unknown): Frame {
  if (typeof data === 'string') return describeFrame(data);
  if (data instanceof ArrayBuffer) return describeFrame(new Uint8Array(data));
  if (ArrayBuffer.isView(data)) return describeFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  // A Blob's bytes can be read only later; its size is known now.
  return { ...describeFrame(new Uint8Array(0)), bytes: data instanceof Blob ? data.size : 0 };
}

/** A class for the option `WebSocket` of one PQWebSocket. */
export function recordingWebSocket(carried: (direction: Direction, frame: Frame) => void): typeof WebSocket {
  return class RecordingWebSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      // Added before the layer's own listeners, so a frame is on record before its message is heard.
      this.addEventListener('message', (event) => carried('in', frameOf(event.data)));
      this.addEventListener('close', (event) => carried('in', describeTransportClose(event.code, event.reason)));
    }

    override send(data: SendData): void {
      carried('out', frameOf(data));
      super.send(data);
    }

    override close(code?: number, reason?: string): void {
      if (this.readyState < WebSocket.CLOSING) carried('out', describeTransportClose(code ?? 1005, reason ?? ''));
      super.close(code, reason);
    }
  };
}
