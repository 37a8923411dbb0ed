import type { BuildName } from '../../results.ts';
import type { Build } from '../socket.ts';
import { bareNative, bareNode } from './bare.ts';
import { naive } from './naive.ts';
import { ws, wss } from './plain.ts';
import { native, nativePlain, nativeWss, pq, pqWss } from './pq.ts';

export const builds: Readonly<Record<BuildName, Build>> = {
  ws,
  wss,
  naive,
  pq,
  native,
  'pq-wss': pqWss,
  'native-wss': nativeWss,
  'native-plain': nativePlain,
  'node-crypto': bareNode,
  'native-crypto': bareNative,
};
