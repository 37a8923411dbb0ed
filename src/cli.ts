/** `npx pq-websocket`: the command line. Each command is a module of its own under `cli/`. */
import { Command } from 'commander';
import { version } from '../package.json';
import { addGatewayCommand } from './cli/gateway.ts';
import { fingerprintFile, generateIdentity } from './cli/identity.ts';

const program = new Command('pq-websocket')
  .description('Tools for WebSockets that stay secret after quantum computers arrive.')
  .version(version)
  .showHelpAfterError();

program
  .command('keygen')
  .description("make a server identity: an ML-DSA-65 key, and the pin for clients' serverKeys")
  .option('-o, --out <file>', 'where the secret key goes (PEM, mode 0600); the public key goes beside it', 'identity.pem')
  .option('-f, --force', 'overwrite files that are there', false)
  .addHelpText(
    'after',
    '\nExample:\n  $ pq-websocket keygen --out identity.pem\n  server: new WebSocketServer({ port, identity: readFileSync("identity.pem", "utf8") })\n  client: new PQWebSocket(url, [], { serverKeys: "sha256:…" })',
  )
  .action(({ out, force }: { out: string; force: boolean }) => {
    const { publicFile, fingerprint } = generateIdentity(out, force);
    console.log(`secret key   ${out}\npublic key   ${publicFile}\nfingerprint  ${fingerprint}`);
  });

program
  .command('fingerprint')
  .description('print the fingerprint of a key file, public or secret')
  .argument('<file>', 'a PEM file of ML-DSA-65 (RFC 9881)')
  .action((file: string) => {
    console.log(fingerprintFile(file));
  });

addGatewayCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`pq-websocket: ${(error as Error).message}`);
  process.exitCode = 2;
}
