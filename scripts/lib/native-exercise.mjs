// Calls every function of packages/native with every kind of memory it takes: what `npm run native:valgrind` watches.
import { createRequire } from 'node:module';

const native = createRequire(import.meta.url)('../../packages/native');

function check(holds, what) {
  if (!holds) throw new Error(`${what} failed`);
}

function sealAndOpen(length) {
  const key = native.importKey(native.importSecret(new Uint8Array(32)));
  const additionalData = new Uint8Array(8);
  const content = new Uint8Array(length).fill(3);
  const frame = new Uint8Array(length + 28);
  const opened = new Uint8Array(length);
  native.seal(key, frame, additionalData, true, content);
  check(native.open(key, frame, additionalData, opened), 'opening elsewhere');
  check(native.open(key, frame, additionalData), 'opening in place');
  native.seal(key, frame, additionalData, false);
  frame[0] ^= 1;
  check(!native.open(key, frame, additionalData, opened), 'refusing a changed frame');
  native.mask(frame, new Uint8Array(4), new Uint8Array(frame.length + 3), 3, frame.length);
  native.unmask(frame, new Uint8Array(4));
  native.random(frame);
  native.destroy(key);
}

/** @param sizes of the encapsulation key, the ciphertext, the seed and the randomness */
function agree(kem, [keyBytes, ciphertextBytes, seedBytes, randomBytes]) {
  for (const given of [false, true]) {
    const encapsulationKey = new Uint8Array(keyBytes);
    const ciphertext = new Uint8Array(ciphertextBytes);
    const pair = native.generateKeyPair(kem, encapsulationKey, given ? new Uint8Array(seedBytes) : undefined);
    const randomness = given ? new Uint8Array(randomBytes) : undefined;
    const sent = native.encapsulate(kem, encapsulationKey, ciphertext, randomness);
    const received = native.decapsulate(pair, ciphertext);
    const outputs = [sent, received].map((secret) => {
      const output = new Uint8Array(100);
      native.deriveBytes(native.deriveSecret(secret, ciphertext, encapsulationKey), ciphertext, ciphertext, output);
      return output;
    });
    check(Buffer.compare(...outputs) === 0, kem);
    native.deriveKey(sent, ciphertext, ciphertext);
    native.destroy(native.joinSecrets(sent, received));
    native.sha256(ciphertext, outputs[0].subarray(0, 32));
    for (const handle of [pair, sent, received]) native.destroy(handle);
    try {
      native.encapsulate(kem, encapsulationKey.fill(255), ciphertext);
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
