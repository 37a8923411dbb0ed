/** PROTOCOL.md 6.1. */
import { closeContent } from '../connection.ts';
import type { Story } from '../story.ts';
import { K } from '../story.ts';
import { SIDES, open, greeted, from, fresh, begin } from './told.ts';

export function exporter(): void {
  const label = 'my-app auth';
  const ask = (story: Story, made: boolean): Story =>
    story.step({ export: { label, length: 32 } }, { exports: made ? story.exported(label, 32) : 'throws' });
  for (const to of SIDES) {
    ask(begin(fresh(to, 'before', 'before a key is agreed', 'exporter', ['6.1'])), false);
    ask(
      from(
        greeted(to),
        'greeted',
        to === 'client' ? 'at a client before Finished(server)' : 'at a server that has sent its Finished',
        'exporter',
        ['6.1'],
      ),
      to === 'server',
    );
    const story = from(open(to), 'open', 'when open, and the same after key updates', 'exporter', ['6.1', '8']);
    ask(story, true);
    story.receive(story.peer(K.update));
    ask(story, true);
    const closing = from(open(to), 'close-sent', 'in close sent', 'exporter', ['6.1']);
    closing.step({ close: { code: 4000 } }, { sends: [closing.own(K.close, closeContent(4000))] });
    ask(closing, true);
    const failed = from(open(to), 'failed', 'after a failure', 'exporter', ['6.1', '10']);
    failed.receive({ text: 'x' }, { fails: 3772 });
    ask(failed, false).sees(3772, '', false);
    const ended = from(open(to), 'ended', 'after the end', 'exporter', ['6.1']);
    ended.receive(ended.peer(K.close, closeContent(1000)), {
      sends: [ended.own(K.answer, closeContent(1000))],
      closes: 1000,
    });
    ended.step({ transportClosed: 1000 });
    ask(ended, false).sees(1000, '', true);
    const bounds = from(open(to), 'bounds', 'lengths and labels at their bounds', 'exporter', ['6.1']);
    for (const [name, length, fine] of [
      ['', 1, true],
      ['', 8160, true],
      ['x', 0, false],
      ['x', 8161, false],
      ['\ud800', 32, false],
      ['\u{1f511}', 16, true],
    ] as const) {
      bounds.step({ export: { label: name, length } }, { exports: fine ? bounds.exported(name, length) : 'throws' });
    }
  }
}
