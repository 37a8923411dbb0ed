// Calls every function of packages/native with every kind of memory it takes: what `npm run native:valgrind` watches.
import { createRequire } from 'node:module';

const native = createRequire(import.meta.url)('../../packages/native');

function check(holds, what) {
  if (!holds) throw new Error(`${what} failed`);
}

function sealAndOpen(length) {
  const vault = native.createVault();
  const key = native.importKey(vault, native.importSecret(vault, new Uint8Array(32)));
  const additionalData = new Uint8Array(8);
  const content = new Uint8Array(length).fill(3);
  const frame = new Uint8Array(length + 28);
  const opened = new Uint8Array(length);
  native.seal(vault, key, frame, additionalData, true, content);
  check(native.open(vault, key, frame, additionalData, opened), 'opening elsewhere');
  check(native.open(vault, key, frame, additionalData), 'opening in place');
  native.seal(vault, key, frame, additionalData, false);
  frame[0] ^= 1;
  check(!native.open(vault, key, frame, additionalData, opened), 'refusing a changed frame');
  native.mask(frame, new Uint8Array(4), new Uint8Array(frame.length + 3), 3, frame.length);
  native.unmask(frame, new Uint8Array(4));
  native.random(frame);
  native.destroy(vault, key);
}

/** @param sizes of the encapsulation key, the ciphertext, the seed and the randomness */
function agree(kem, [keyBytes, ciphertextBytes, seedBytes, randomBytes]) {
  for (const given of [false, true]) {
    const encapsulationKey = new Uint8Array(keyBytes);
    const ciphertext = new Uint8Array(ciphertextBytes);
    const [ours, theirs] = [native.createVault(), native.createVault()];
    const pair = native.generateKeyPair(ours, kem, encapsulationKey, given ? new Uint8Array(seedBytes) : undefined);
    const randomness = given ? new Uint8Array(randomBytes) : undefined;
    const sent = native.encapsulate(theirs, kem, encapsulationKey, ciphertext, randomness);
    const received = native.decapsulate(ours, pair, ciphertext);
    const ends = [
      [theirs, sent],
      [ours, received],
    ];
    const outputs = ends.map(([vault, secret]) => {
      const output = new Uint8Array(100);
      const derived = native.deriveSecret(vault, secret, ciphertext, encapsulationKey);
      native.deriveBytes(vault, derived, ciphertext, ciphertext, output);
      return output;
    });
    check(Buffer.compare(...outputs) === 0, kem);
    native.deriveKey(theirs, sent, ciphertext, ciphertext);
    native.destroy(ours, native.joinSecrets(theirs, sent, ours, received));
    native.sha256(ciphertext, outputs[0].subarray(0, 32));
    for (const [vault, number] of [[ours, pair], ...ends, ...ends]) native.destroy(vault, number);
    try {
      native.encapsulate(theirs, kem, encapsulationKey.fill(255), ciphertext);
    } catch {
      continue;
    }
    throw new Error('a bad key was taken');
  }
}

for (const length of [0, 1, 33, 255, 256, 257, 5000]) sealAndOpen(length);
agree('ml-kem-768', [1184, 1088, 64, 32]);
agree('ml-kem-1024', [1568, 1568, 64, 32]);
agree('mlkem768-x25519', [1216, 1120, 32, 64]);
