import { RealtimeClient } from '@supabase/realtime-js';
import { PQWebSocket } from 'pq-websocket';

export const connect = (url, options = {}) =>
  new RealtimeClient(`${url}/realtime/v1`, {
    transport: PQWebSocket,
    params: { apikey: 'the public key' },
    ...options,
  }); // was: without transport
// of supabase-js: createClient(url, key, { realtime: { transport: PQWebSocket } })

export const subscribed = (channel) =>
  new Promise((resolve, reject) => {
    channel.subscribe((state, error) => {
      if (state === 'SUBSCRIBED') resolve(channel);
      else if (state === 'CHANNEL_ERROR') reject(error);
    });
  });

export async function runClient(url, text = 'hello, channel') {
  const [one, two] = [connect(url), connect(url)];
  const channels = [one, two].map((client) => client.channel('room'));
  const heard = new Promise((resolve) =>
    channels[1].on('broadcast', { event: 'said' }, ({ payload }) => resolve(payload.text)),
  );
  await Promise.all(channels.map(subscribed));
  await channels[0].send({ type: 'broadcast', event: 'said', payload: { text } });
  const said = [await heard];
  for (const client of [one, two]) await client.removeAllChannels();
  return said;
}
