/** Section 13, and what is no violation but must not be delivered either: what comes behind a close. */
import { closeContent, KIND, utf8, zeros } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import type { Stranger } from './stranger.ts';

const REFUSAL = {
  first:
    'fast open: after an early answer: first message not the byte-identical text (another text, a binary message, Finished at once)',
  selected: 'fast open: `pqws1` selected though the application offered others; any `pqws1.…` selected',
} as const;
export const AFTER_A_CLOSE = 'section 3.3: what comes after a close is ignored unopened';

const tokens = (clientHello: string): string[] => ['pqws1', `pqws1.${Buffer.from(clientHello).toString('base64url')}`];

/** The server has answered the upgrade request's hello; then the first message is another one. */
const FIRST_MESSAGES: readonly (readonly [string, (hello: string, stranger: Stranger) => string | Uint8Array])[] = [
  ['fast open: a space more', (hello) => `${hello} `],
  ['fast open: a text that means the same', (hello) => hello.replace(':1,', ':1.0,')],
  ['fast open: the hello as bytes', (hello) => utf8(hello)],
  ['fast open: Finished at once', (_hello, stranger) => stranger.sealed(Uint8Array.of(0x7b, 0x7d, KIND.finished))],
];

function fastOpenCases(): HostileCase[] {
  const toServers = FIRST_MESSAGES.map(([name, make]): HostileCase => ({
    name,
    refusal: REFUSAL.first,
    victim: 'server',
    code: 3768,
    feature: 'fast-open',
    subprotocols: tokens,
    attack: async (stranger) => {
      const hello = stranger.goodHello();
      await stranger.readServerHello(hello);
      await stranger.receive(KIND.finished);
      stranger.send(make(hello, stranger));
    },
  }));
  const toClients: HostileCase = {
    name: 'fast open: the token is selected',
    refusal: REFUSAL.selected,
    victim: 'client',
    code: 3768,
    feature: 'fast-open',
    options: ['--fast-open'],
    select: (offered) => offered.find((protocol) => protocol.startsWith('pqws1.')),
    // A client may have sent its hello before it looks at the subprotocol.
    attack: (stranger) => stranger.readHello().catch(() => undefined),
  };
  return [...toServers, toClients];
}

/** The transport ends with 1000 as if nothing had come. */
function ignoredCases(): HostileCase[] {
  return SIDES.flatMap((victim): HostileCase[] => [
    ...[
      ['a frame that does not open, after a close', zeros(40)] as const,
      ['a text, after a close', 'hello'] as const,
    ].map(([name, message]): HostileCase => ({
      name,
      refusal: AFTER_A_CLOSE,
      victim,
      code: 1000,
      attack: async (stranger) => {
        await stranger.converse();
        stranger.record(KIND.close, closeContent(4000, 'bye'));
        stranger.send(message);
        const answer = Buffer.from(await stranger.receive(KIND.answer));
        if (!answer.equals(closeContent(4000, 'bye'))) throw new Error('the close answer says something else');
      },
    })),
    {
      name: 'closes that cross get no answer',
      refusal: AFTER_A_CLOSE,
      victim,
      code: 1000,
      clientCase: 'close-own',
      attack: async (stranger) => {
        await stranger.untilItCloses();
        stranger.record(KIND.close, closeContent(4100, 'crossed'));
        stranger.send(stranger.sealed(Uint8Array.of(0x61, KIND.text)));
      },
    },
  ]);
}

export const otherCases = (): HostileCase[] => [...fastOpenCases(), ...ignoredCases()];
