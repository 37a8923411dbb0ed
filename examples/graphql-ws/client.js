import { createClient } from 'graphql-ws';
import { PQWebSocket } from 'pq-websocket';

export async function runClient(url, text = 'quantum world') {
  const client = createClient({ url: `${url}/graphql`, webSocketImpl: PQWebSocket }); // was: the global WebSocket
  const said = [];
  const query = 'subscription ($text: String!) { greetings(text: $text) }';
  for await (const { data } of client.iterate({ query, variables: { text } })) said.push(data.greetings);
  await client.dispose();
  return said;
}
