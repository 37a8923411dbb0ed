/** The command line: all commands, without running one. */
import { Command } from 'commander';
import { version } from '../../package.json';
import { addCompletionCommand } from './completion.ts';
import { addConnectCommand } from './connect.ts';
import { addDecodeCommand } from './decode.ts';
import { addDoctorCommand } from './doctor.ts';
import { addGatewayCommand } from './gateway.ts';
import { addIdentityCommands } from './identity-commands.ts';
import { addServeCommand } from './serve.ts';
import { addTunnelCommand } from './tunnel.ts';

/** Errors of usage are thrown as `CommanderError`, whose message has been written. */
export function buildProgram(): Command {
  const program = new Command('pq-websocket')
    .description('Tools for WebSockets that stay secret after quantum computers arrive.')
    .version(version)
    .showHelpAfterError('(--help says more)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ pq-websocket connect wss://example.com/chat
  $ pq-websocket doctor wss://example.com/chat
  $ pq-websocket decode capture.pcap --keylog keys.log
  $ pq-websocket serve --plain 127.0.0.1:8081
  $ pq-websocket tunnel wss://example.com/chat --listen 127.0.0.1:8080
  $ pq-websocket gateway --listen 0.0.0.0:8443 --upstream ws://127.0.0.1:8080
  $ pq-websocket keygen --out identity.pem`,
    );
  addConnectCommand(program);
  addDoctorCommand(program);
  addDecodeCommand(program);
  addServeCommand(program);
  addTunnelCommand(program);
  addGatewayCommand(program);
  addIdentityCommands(program);
  addCompletionCommand(program);
  return program;
}
