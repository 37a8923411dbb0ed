import { buildClientHello } from '../../src/protocol/v1/hellos.ts';

/** The ClientHello that offers this key of ML-KEM-768, and nothing else. */
export function plainHello(encapsulationKey: Uint8Array): string {
  return buildClientHello([['ml-kem-768', { encapsulationKey }]]);
}
