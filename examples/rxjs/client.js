import { PQWebSocket } from 'pq-websocket';
import { take, toArray, lastValueFrom } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';

export const connect = (url, options = {}) => webSocket({ url, WebSocketCtor: PQWebSocket, ...options }); // was: webSocket(url)

export async function runClient(url, text = 'hello, RxJS') {
  const subject = connect(url);
  subject.next({ text });
  subject.next({ more: text });
  const said = await lastValueFrom(subject.pipe(take(2), toArray()));
  subject.complete();
  return said;
}
