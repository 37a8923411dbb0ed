import type { Scenario } from './scenario.ts';
import { api } from './scenarios/api.ts';
import { closing } from './scenarios/closing.ts';
import { connecting } from './scenarios/connecting.ts';
import { control } from './scenarios/control.ts';
import { dom } from './scenarios/dom.ts';
import { emitter } from './scenarios/emitter.ts';
import { network } from './scenarios/network.ts';
import { oldMajors } from './scenarios/old-majors.ts';
import { receiving } from './scenarios/receiving.ts';
import { sending } from './scenarios/sending.ts';
import { server } from './scenarios/server.ts';
import { stream } from './scenarios/stream.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...api,
  ...emitter,
  ...dom,
  ...sending,
  ...receiving,
  ...control,
  ...closing,
  ...connecting,
  ...server,
  ...network,
  ...oldMajors,
  ...stream,
];
