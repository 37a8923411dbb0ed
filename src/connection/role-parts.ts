/** What connections are made of where both roles and every kind of socket may be underneath. */
import { attachTransport } from '#attach';
import { createClientSession } from '../protocol/client-session.ts';
import { createServerSession } from '../protocol/server-session.ts';
import { Yellowpages } from '../protocol/yellowpages/profile.ts';
import type { ConnectionParts } from './connection.ts';
import { ProofWork } from './proof-work.ts';
import { UnprovedPeer } from './unproved.ts';

export const ROLE_PARTS: Readonly<Record<'client' | 'server', ConnectionParts>> = {
  client: {
    createSession: (config, host) => createClientSession(config, host, Yellowpages),
    attachTransport,
    server: undefined,
  },
  server: {
    createSession: createServerSession,
    attachTransport,
    server: {
      unprovedPeer: (session, transport) => new UnprovedPeer(session, transport),
      proofWork: (config) => ProofWork.of(config),
    },
  },
};
