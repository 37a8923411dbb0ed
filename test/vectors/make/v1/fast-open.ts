/** PROTOCOL.md 13. */
import { utf8, hex, base64url, type Message } from '../bytes.ts';
import { closeContent } from '../connection.ts';
import { withCoefficient } from '../coefficients.ts';
import { agreement } from '../kems.ts';
import type { Story } from '../story.ts';
import { K, clientHelloOf, serverHelloOf, type Setup } from '../story.ts';
import { opening, from, fresh, goesOn } from './told.ts';

export function fastOpen(): void {
  const text = clientHelloOf();
  const token = (value: string): string => `pqws1.${base64url(utf8(value))}`;
  const setup: Setup = { subprotocols: ['pqws1', token(text)] };
  const answered = opening(
    'fast-open',
    'server',
    (story) => {
      story
        .agree(text, serverHelloOf())
        .step({ start: true }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    },
    setup,
  );
  const long = text.padEnd(5_995);
  const longest = fresh('server', 'longest-token', 'a token of 8,000 characters counts', 'fast open', ['13'], {
    subprotocols: ['pqws1', token(long)],
  });
  longest.agree(long, serverHelloOf());
  longest.step({ start: true }, { sends: [{ text: longest.serverHello }, longest.own(K.finished, utf8('{}'))] });
  goesOn(longest.receive({ text: long }).finished());
  const at = (id: string, title: string): Story => from(answered, id, title, 'fast open', ['13', '3.2']);
  goesOn(at('repeated', 'the same hello, then Finished(client)').receive({ text }).finished());
  const speaks = at('speaks', 'the server sends before the hello is repeated');
  speaks.step({ send: { text: 'welcome' } }, { sends: [speaks.own(K.text, utf8('welcome'))] });
  goesOn(speaks.receive({ text }).finished());
  const closes = at('closes', 'it closes before the hello is repeated');
  closes.step({ close: { code: 4000 } }, { sends: [closes.own(K.close, closeContent(4000))] }).receive({ text });
  closes
    .receive(closes.peer(K.finished, utf8('{}')), { accepts: true })
    .receive(closes.peer(K.answer, closeContent(4000)), { closes: 1000 });
  closes.step({ transportClosed: 1000 }).sees(4000, '', true);
  const refuses = (id: string, title: string, message: Message): void => {
    at(id, title).refuses(message, 3768);
  };
  refuses('other-hello', 'another good hello', { text: clientHelloOf({ extra: '"a":1' }) });
  refuses('white-space', 'the hello with a space after', { text: `${text} ` });
  refuses('prefix', 'the hello cut off', { text: text.slice(0, -1) });
  refuses('case', 'the hello with a letter in another case', { text: text.replace('"pq', '"Pq') });
  refuses('binary', 'the hello as a binary message', { binary: hex(utf8(text)) });
  refuses('empty', 'an empty text', { text: '' });
  const frame = at('finished-first', 'Finished(client) without the hello');
  frame.refuses(frame.peer(K.finished, utf8('{}')), 3768);
  const twice = at('twice', 'the hello twice').receive({ text });
  twice.refuses({ text }, 3768);
  const slow = at('timeout', 'the hello is not repeated in time');
  slow.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
  const unrepeated = at('closing-other', 'it has closed, and another hello comes');
  unrepeated.step({ close: { code: 4000 } }, { sends: [unrepeated.own(K.close, closeContent(4000))] });
  unrepeated.refuses({ text: `${text}\n` }, 3768);

  const badKey = text.replace(
    /"ml_kem_768_encapsulation_key":"[^"]*"/,
    `"ml_kem_768_encapsulation_key":"${Buffer.from(withCoefficient(agreement('ml-kem-768').publicKey, 767, 3329)).toString('base64')}"`,
  );
  const ignored: [string, string, string[]][] = [
    ['none', 'pqws1 alone', ['pqws1']],
    ['pqws1-twice', 'pqws1 twice', ['pqws1', 'pqws1', token(text)]],
    ['token-twice', 'the token twice', ['pqws1', token(text), token(text)]],
    ['no-pqws1', 'no pqws1 beside it', ['chat', token(text)]],
    ['capitals', 'in capitals', ['PQWS1', token(text).replace('pqws1', 'PQWS1')]],
    ['padded', 'padded base64url', ['pqws1', `${token(text)}=`]],
    ['standard-alphabet', 'the standard alphabet', ['pqws1', `${token(text).slice(0, -4)}+${token(text).slice(-3)}`]],
    ['cut', 'cut off', ['pqws1', token(text).slice(0, -2)]],
    ['empty', 'empty', ['pqws1', 'pqws1.']],
    ['bad-key', 'a hello whose key fails the modulus check', ['pqws1', token(badKey)]],
    ['version-2', 'a hello of another version', ['pqws1', token(clientHelloOf({ version: '2' }))]],
    ['bom', 'a byte-order mark before the hello', ['pqws1', token(`\ufeff${text}`)]],
    ['long-token', 'one of 8,001 characters', ['pqws1', token(text.padEnd(5_996))]],
    ['too-long', 'a hello of more than 16,384 bytes', ['pqws1', token(`${text}${' '.repeat(16_384)}`)]],
  ];
  for (const [id, title, subprotocols] of ignored) {
    const story = fresh('server', `ignores-${id}`, `a token that counts for nothing: ${title}`, 'fast open', ['13'], {
      subprotocols,
    });
    story.agree(text, serverHelloOf()).step({ start: true });
    story.receive({ text }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    goesOn(story.finished());
  }
}
