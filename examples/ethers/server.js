// The part of an Ethereum node that wallets and dashboards talk to: JSON-RPC with subscriptions, and a block every moment.
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

const hex = (value) => `0x${value.toString(16)}`;
const word = (value) => `0x${value.toString(16).padStart(64, '0')}`;

function blockAt(height) {
  return {
    number: hex(height),
    hash: word(height + 1),
    parentHash: word(height),
    timestamp: hex(1_700_000_000 + 12 * height),
    nonce: '0x0000000000000000',
    difficulty: '0x0',
    totalDifficulty: '0x0',
    gasLimit: hex(30_000_000),
    gasUsed: '0x0',
    size: '0x220',
    miner: `0x${'11'.repeat(20)}`,
    extraData: '0x',
    logsBloom: `0x${'00'.repeat(256)}`,
    mixHash: word(0),
    receiptsRoot: word(0),
    sha3Uncles: word(0),
    stateRoot: word(0),
    transactionsRoot: word(0),
    baseFeePerGas: hex(7),
    transactions: [],
    uncles: [],
  };
}

export function startServer(port = 8080, period = 100) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  let height = 100;
  const subscribers = new Map();
  const methods = {
    eth_chainId: () => hex(1),
    net_version: () => '1',
    eth_blockNumber: () => hex(height),
    eth_getBlockByNumber: (_socket, tag) => blockAt(tag === 'latest' ? height : Number(tag)),
    web3_clientVersion: (_socket, ...words) => ['a node of the example', ...words].join(' '),
    eth_subscribe(socket) {
      const id = hex(crypto.getRandomValues(new Uint32Array(1))[0]);
      subscribers.set(id, socket);
      return id;
    },
    eth_unsubscribe: (_socket, id) => subscribers.delete(id),
  };
  const answer = (socket, { id, method, params = [] }) => {
    if (methods[method] === undefined)
      return { jsonrpc: '2.0', id, error: { code: -32601, message: `no method ${method}` } };
    return { jsonrpc: '2.0', id, result: methods[method](socket, ...params) };
  };
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const request = JSON.parse(data);
      socket.send(
        JSON.stringify(Array.isArray(request) ? request.map((each) => answer(socket, each)) : answer(socket, request)),
      );
    });
    socket.on('close', () => {
      for (const [id, of] of subscribers) if (of === socket) subscribers.delete(id);
    });
  });
  const timer = setInterval(() => {
    height += 1;
    for (const [subscription, socket] of subscribers) {
      socket.send(
        JSON.stringify({
          jsonrpc: '2.0',
          method: 'eth_subscription',
          params: { subscription, result: blockAt(height) },
        }),
      );
    }
  }, period);
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({
        port: server.address().port,
        server,
        subscribers,
        close() {
          clearInterval(timer);
          server.close();
        },
      }),
    );
  });
}
