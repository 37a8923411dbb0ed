import 'pq-websocket/register'; // the line that is new, before discord.js; or `node --import pq-websocket/register bot.js`
const { WebSocketManager, WebSocketShardEvents } = await import('@discordjs/ws');

/** What Discord’s REST interface answers to `GET /gateway/bot`: here the address of the gateway, or of the proxy in front of it. */
const gateway = (url) => ({
  get: async () => ({
    url,
    shards: 1,
    session_start_limit: { total: 1_000, remaining: 1_000, reset_after: 60_000, max_concurrency: 1 },
  }),
});

/** @param token must not be logged @param onDispatch hears every event */
export async function connect(url, token, onDispatch = () => {}) {
  const manager = new WebSocketManager({ rest: gateway(url), token, intents: 0 });
  manager.on(WebSocketShardEvents.Dispatch, onDispatch);
  manager.on(WebSocketShardEvents.Error, () => {}); // a lost connection is resumed
  await manager.connect();
  return manager;
}

export async function runClient(url, text = 'hello, guild', token = 'a token') {
  let hear;
  const heard = new Promise((resolve) => {
    hear = resolve;
  });
  const manager = await connect(url, token, ({ t, d }) => t === 'PRESENCE_UPDATE' && hear(d.activities[0].name));
  await manager.send(0, {
    op: 3,
    d: { since: null, activities: [{ name: text, type: 0 }], status: 'online', afk: false },
  });
  const said = [await heard];
  await manager.destroy();
  return said;
}
