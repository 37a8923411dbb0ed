/** A server identity for tests, as its seed, and the pin that goes with it. */
export const IDENTITY_SEED = new Uint8Array(32).fill(7);
export const IDENTITY_PIN = 'sha256:d3a1e51ecf491b79ca7691bd269271f8d8e8d94313a6abcc6c8ae8bc34b5f9aa';
