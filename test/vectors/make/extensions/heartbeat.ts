/** PROTOCOL.md 24: heartbeat. */
import { utf8, hex, unhex, zeros } from '../bytes.ts';
import { closeContent } from '../connection.ts';
import { K, Story, type HelloParts } from '../story.ts';
import { tell, text, bothSay } from './told.ts';

const HEARTBEAT: HelloParts = { features: ['heartbeat'] };

export function heartbeatCases(): void {
  for (const to of ['client', 'server'] as const) {
    const base = tell(
      new Story(`opening.heartbeat.${to}`, 'an open connection with heartbeat', 'opening', ['24'], to, {
        heartbeat: true,
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const at = (id: string, title: string, sections = ['24']): Story =>
      tell(base.branch(`heartbeat.${to}.${id}`, title, 'heartbeat', sections));
    for (const size of [0, 1, 125]) {
      const story = at(`ping-${size}`, `a ping of ${size} bytes is answered with the same`);
      const content = zeros(size).fill(0x70);
      story.receive(story.peer(K.ping, content), { sends: [story.own(K.pong, content)] });
    }
    const zero = at('ping-zeros', 'a ping that ends in zero bytes');
    zero.receive(zero.peer(K.ping, unhex('700000'), 5), { sends: [zero.own(K.pong, unhex('700000'))] });
    for (const [name, kind] of [
      ['ping', K.ping],
      ['pong', K.pong],
    ] as const) {
      const story = at(`${name}-126`, `a ${name} of 126 bytes`, ['24', '10']);
      story.refuses(story.peer(kind, zeros(126).fill(1)), 3772);
      const discarded = at(`${name}-after-close`, `a ${name} after one's own close is discarded`, ['24', '9']);
      discarded.step({ close: { code: 4000 } }, { sends: [discarded.own(K.close, closeContent(4000))] });
      discarded.receive(discarded.peer(kind, utf8('x')));
      discarded.receive(discarded.peer(K.answer, closeContent(4000)), { closes: 1000 });
      discarded.step({ transportClosed: 1000 }).sees(4000, '', true);
    }
    const unasked = at('pong-unasked', 'a pong that nobody asked for is ignored');
    unasked.receive(unasked.peer(K.pong, utf8('?')));
    bothSay(unasked, 'after');
    const own = at('own', "a ping of one's own resolves with the pong that repeats it, and with no other");
    own.step({ ping: hex(utf8('are you there')) }, { sends: [own.own(K.ping, utf8('are you there'))] });
    own.receive(own.peer(K.pong, utf8('no')));
    own.receive(own.peer(K.pong, utf8('are you there')), { answered: hex(utf8('are you there')) });
    const between = at('updates', 'a ping is a record between two key updates', ['24', '8']);
    between.receive(between.peer(K.update));
    between.receive(between.peer(K.ping), { sends: [between.own(K.pong)] });
    between.receive(between.peer(K.update));
    bothSay(between, 'after');
    const batch = at('in-batch', 'a ping in a batch', ['24', '7.4']);
    batch.refuses(batch.peer(K.batch, unhex('0c00000000')), 3772);
    const never = at('silent-before', 'an application that pings after a close: nothing is sent', ['24', '9']);
    never.receive(never.peer(K.close, closeContent(1000)), {
      sends: [never.own(K.answer, closeContent(1000))],
      closes: 1000,
    });
    never.step({ transportClosed: 1000 }).sees(1000, '', true);

    const clocked = tell(
      new Story(`opening.heartbeat-clock.${to}`, 'heartbeat each 30 s, 10 s for the answer', 'opening', ['24'], to, {
        heartbeat: { interval: 30_000, timeout: 10_000 },
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const clock = (id: string, title: string): Story =>
      tell(clocked.branch(`heartbeat.${to}.${id}`, title, 'heartbeat', ['24']));
    const dead = clock('dead', 'nothing is opened: a ping, then the end');
    dead.step({ advance: 29_999 });
    dead.step({ advance: 1 }, { sends: [dead.anyContent(K.ping)] });
    dead.step({ advance: 9_999 });
    dead.step({ advance: 1 }, { closes: 'no code' });
    dead.step({ transportClosed: 1006 }).sees(1006, '', false);
    const alive = clock('alive', 'anything that is opened starts the interval anew');
    alive.step({ advance: 20_000 });
    alive.receive(alive.peer(K.text, utf8('x')), { delivers: text('x') });
    alive.step({ advance: 29_999 });
    alive.step({ advance: 1 }, { sends: [alive.anyContent(K.ping)] });
    alive.receive(alive.peer(K.binary, zeros(1)), { delivers: [{ binary: '00' }] });
    alive.step({ advance: 20_000 });
    const often = tell(
      new Story(`opening.heartbeat-often.${to}`, 'heartbeat each 10 s, 5 s for the answer', 'opening', ['24'], to, {
        heartbeat: { interval: 10_000, timeout: 5_000 },
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const stopped = tell(
      often.branch(`heartbeat.${to}.stops`, 'a close stops the heartbeat', 'heartbeat', ['24', '9']),
    );
    stopped.step({ close: { code: 4000 } }, { sends: [stopped.own(K.close, closeContent(4000))] });
    stopped.step({ advance: 29_999 });
  }
}
