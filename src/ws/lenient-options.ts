/** The names of the options that `WebSocket` and `WebSocketServer` take. */
import { Set } from '../base/captured.ts';
import { CHANNEL_OPTION_NAMES } from '../options/channel.ts';
import { CLIENT_OPTION_NAMES } from '../options/client.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from '../options/server-identity.ts';
import { PASSED_ON, WITHOUT_EFFECT } from './client.ts';
import { OWN_SERVER_OPTIONS, WS_SERVER_OPTIONS } from './options.ts';

export const CLIENT_OPTIONS: ReadonlySet<string> = new Set([
  ...CHANNEL_OPTION_NAMES,
  ...CLIENT_OPTION_NAMES,
  ...PASSED_ON,
  ...WITHOUT_EFFECT,
  'protocols',
]);

export const SERVER_OPTIONS: ReadonlySet<string> = new Set([
  ...CHANNEL_OPTION_NAMES,
  ...SERVER_AUTHENTICATION_OPTIONS,
  ...OWN_SERVER_OPTIONS,
  ...WS_SERVER_OPTIONS,
]);
