// Starts an example's server and lets its client talk with it: `node run-example.js NAME`.
const [, , name] = process.argv;
const { startServer } = await import(`../../examples/${name}/server.js`);
const { runClient } = await import(`../../examples/${name}/client.js`);
const server = await startServer(0);
console.log(`server: ws://127.0.0.1:${server.port}`);
for (const line of await runClient(`ws://127.0.0.1:${server.port}`))
  console.log(`client: ${typeof line === 'string' ? line : JSON.stringify(line)}`);
await server.close();
// Libraries keep timers and sockets.
process.exit();
