import native from './index.cjs';

export const {
  createVault,
  decapsulate,
  deriveBytes,
  deriveKey,
  deriveSecret,
  destroy,
  encapsulate,
  generateKeyPair,
  importKey,
  importSecret,
  isFips,
  joinSecrets,
  mask,
  open,
  random,
  seal,
  sha256,
  unmask,
  version,
} = native;
