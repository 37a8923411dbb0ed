/** frame-pool.ts where no transport tells when it needs a frame no more, so that none can be used again. */
export const takeFrame = (length: number): Uint8Array => new Uint8Array(length);
export const isPooled = (_frame: Uint8Array): boolean => false;
export function giveFrameBack(_frame: Uint8Array): void {}
