/** The client's cases with the profile yellowpages, and those of the use that the original system makes of it. */
import type { Case } from './cases.ts';
import { ascii, letters, SIZES } from './cases.ts';
import type { Data, Ending } from './client-end.ts';
import { ClientEnd } from './client-end.ts';
import { LONGEST_REQUEST } from './echo-yellowpages.ts';
import { utf8 } from './bytes.ts';

/** So many frames a connection has, both directions together. */
const MOST_FRAMES = 65_536;
const PIPELINED = 200;
const NOTHING = new Uint8Array();

/** Text goes as its UTF-8 bytes and comes back as bytes. */
async function echo(end: ClientEnd, ...messages: Data[]): Promise<void> {
  for (const message of messages) {
    end.socket.send(message);
    await end.expect(asBytes(message));
  }
}

const asBytes = (message: Data): Data => (typeof message === 'string' ? utf8(message) : message);

async function pipelined(end: ClientEnd): Promise<void> {
  const messages = Array.from({ length: PIPELINED }, (_, i) => `message ${i}`);
  for (const message of messages) end.socket.send(message);
  for (const message of messages) await end.expect(utf8(message));
}

/** The last frame is the client's; the server may answer no more, and says so. */
async function usedUp(end: ClientEnd): Promise<void> {
  end.socket.send(`!flood ${MOST_FRAMES - 2}`);
  for (let i = 0; i < MOST_FRAMES - 2; i += 1) await end.expect(NOTHING);
  await answered(end, 'one too many to be answered', { code: 1008 });
}

/** By the transport's close, and nothing else. */
async function answered(end: ClientEnd, message: Data, wanted: Partial<Ending>): Promise<void> {
  end.socket.send(message);
  await end.endedWith({ wasClean: true, ...wanted });
}

async function closeOwn(end: ClientEnd, code: number, close: () => void): Promise<void> {
  await echo(end, 'before the close');
  close();
  // The reason that a transport shows for its own close is its library's choice.
  await end.endedWith({ code, wasClean: true });
}

export const YELLOWPAGES_CASES: Readonly<Record<string, Case>> = {
  text: (end) => echo(end, 'hello'),
  'text-unicode': (end) =>
    echo(end, 'Grüße, 世界 👋 \u0000 e\u0301', '\ufeffwith a byte-order mark', 'ends in nul\0', ''),
  binary: (end) =>
    echo(
      end,
      Uint8Array.from({ length: 256 }, (_, i) => i),
      Uint8Array.of(1, 0, 0),
    ),
  sizes: async (end) => {
    for (const size of SIZES) await echo(end, ascii(letters(size)), letters(size));
  },
  pipelined,
  'used-up': usedUp,
  'close-own': (end) =>
    closeOwn(end, 4321, () => {
      end.socket.close(4321, 'bye é');
    }),
  'close-peer': (end) => answered(end, '!close 4001 why', { code: 4001, reason: 'why' }),
  'close-empty': async (end, plan) => {
    await closeOwn(end, 1005, () => {
      end.socket.close();
    });
    const second = await ClientEnd.open(plan.url, plan.options);
    try {
      await answered(second, '!close 0', { code: 1005, reason: '' });
    } finally {
      second.abandon();
    }
  },
};

export const ORIGINAL_CASES: Readonly<Record<string, Case>> = {
  request: (end) => answered(end, 'the request', { code: 1000, reason: 'done' }),
  'request-longest': (end) => answered(end, letters(LONGEST_REQUEST), { code: 1000 }),
  'request-too-long': (end) => answered(end, letters(LONGEST_REQUEST + 1), { code: 1008 }),
};
