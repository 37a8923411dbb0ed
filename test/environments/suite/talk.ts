/** What a script sees of a text, bytes, and a close, which the server answers. */
export const SAID = 'said in an environment';
export const WHOLE = [1, SAID, [1, 2, 3], 4000, 'enough', true];

export function talk(socket: WebSocket): Promise<unknown[]> {
  return new Promise((resolve) => {
    const seen: unknown[] = [];
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      seen.push(socket.readyState);
      socket.send(SAID);
      socket.send(Uint8Array.of(1, 2, 3));
    });
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      seen.push(typeof data === 'string' ? data : Array.from(new Uint8Array(data)));
      if (seen.length === 3) socket.close(4000, 'enough');
    });
    socket.addEventListener('close', ({ code, reason, wasClean }: CloseEvent) => {
      seen.push(code, reason, wasClean);
      resolve(seen);
    });
  });
}
