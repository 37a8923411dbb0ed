/** `pq-websocket keygen` and `pq-websocket fingerprint`. */
import type { Command } from 'commander';
import { fingerprintFile, generateIdentity } from './identity.ts';

const KEYGEN_EXAMPLES = `
Example:
  $ pq-websocket keygen --out identity.pem
  server: new WebSocketServer({ port, identity: readFileSync("identity.pem", "utf8") })
  client: new PQWebSocket(url, [], { serverKeys: "sha256:…" })

Files that are there stay, unless --force is given.`;

const FINGERPRINT_EXAMPLES = `
Examples:
  $ pq-websocket fingerprint identity.pub.pem
  $ pq-websocket connect wss://example.com --pin "$(pq-websocket fingerprint identity.pub.pem)"`;

export function addIdentityCommands(program: Command): void {
  program
    .command('keygen')
    .description("make an identity: an ML-DSA-65 key, and its pin, for clients' serverKeys or servers' clientKeys")
    .option(
      '-o, --out <file>',
      'where the secret key goes (PEM, mode 0600); the public key goes beside it',
      'identity.pem',
    )
    .option('-f, --force', 'overwrite files that are there', false)
    .addHelpText('after', KEYGEN_EXAMPLES)
    .action(async ({ out, force }: { out: string; force: boolean }) => {
      const { publicFile, fingerprint } = await generateIdentity(out, force);
      process.stdout.write(`secret key   ${out}\npublic key   ${publicFile}\nfingerprint  ${fingerprint}\n`);
    });
  program
    .command('fingerprint')
    .description('print the fingerprint of a key file, public or secret')
    .argument('<file>', 'a PEM file of ML-DSA-65 (RFC 9881)')
    .addHelpText('after', FINGERPRINT_EXAMPLES)
    .action(async (file: string) => {
      process.stdout.write(`${await fingerprintFile(file)}\n`);
    });
}
