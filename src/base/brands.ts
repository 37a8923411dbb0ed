/**
 * What a value is, as Web IDL tells it: by internal slots, which the getters of the platform's prototypes read. So neither another
 * realm nor a changed prototype chain nor a member of the value's own makes a difference.
 */
import { blobClass } from './captured.ts';

type Getter<T> = (this: unknown) => T;

/** The getter of an accessor, or undefined where there is none. */
export function getterOf<T>(owner: object | undefined, name: PropertyKey): Getter<T> | undefined {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a `this`
  return owner && (Object.getOwnPropertyDescriptor(owner, name)?.get as Getter<T> | undefined);
}

function view(prototype: object): Readonly<Record<'buffer' | 'byteOffset' | 'byteLength', Getter<unknown>>> {
  const getter = (name: string): Getter<unknown> => getterOf(prototype, name) as Getter<unknown>;
  return { buffer: getter('buffer'), byteOffset: getter('byteOffset'), byteLength: getter('byteLength') };
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- it uses no `this` (ECMA-262 25.1.5.1)
const { isView } = ArrayBuffer;
const { prototype: bufferPrototype } = ArrayBuffer;
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** ECMA-262 23.2.3.38: the name of the typed array's class, undefined for whatever is none. */
const typedArrayName = getterOf<string | undefined>(typedArrayPrototype, Symbol.toStringTag) as Getter<
  string | undefined
>;
const typedArray = view(typedArrayPrototype);
const dataView = view(DataView.prototype);
const bufferLength = getterOf<number>(bufferPrototype, 'byteLength') as Getter<number>;
/** Not in every engine: ES2024. */
const resizable = getterOf<boolean>(bufferPrototype, 'resizable');

export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayName.call(value) === 'Uint8Array';
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  // Most of what is asked about is absent, and to throw takes longer than all else that reads an option.
  try {
    return value !== undefined && bufferLength.call(value) >= 0;
  } catch {
    return false;
  }
}

/**
 * The bytes of a BufferSource, where they are; undefined for whatever is none.
 * @throws {TypeError} for shared and for resizable memory, which no argument of a WebSocket takes
 */
export function bufferSource(value: unknown): Uint8Array | undefined {
  const get = !isView(value) ? undefined : typedArrayName.call(value) === undefined ? dataView : typedArray;
  const buffer = get === undefined ? value : get.buffer.call(value);
  if (!isArrayBuffer(buffer)) {
    if (get === undefined) return undefined;
    throw new TypeError('send: the view must not be of a SharedArrayBuffer.');
  }
  if (resizable?.call(buffer) === true) throw new TypeError('send: the buffer must not be resizable.');
  const whole = bufferLength.call(buffer);
  // A detached buffer is an empty one: a DataView's getters would throw, and no Uint8Array could be made of it.
  const length = whole === 0 || get === undefined ? whole : (get.byteLength.call(value) as number);
  if (length === 0) return new Uint8Array(0);
  return new Uint8Array(buffer, get === undefined ? 0 : (get.byteOffset.call(value) as number), length);
}

interface BlobGetters {
  readonly size: Getter<number>;
  readonly arrayBuffer: (this: unknown) => Promise<ArrayBuffer>;
}

let taken: BlobGetters | undefined;

function blobGetters(): BlobGetters | undefined {
  const prototype = (blobClass() as typeof Blob | undefined)?.prototype;
  return (taken ??= prototype && {
    size: getterOf<number>(prototype, 'size') as Getter<number>,
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a `this`
    arrayBuffer: prototype.arrayBuffer,
  });
}

export function isBlob(value: unknown): value is Blob {
  try {
    return typeof value === 'object' && blobGetters()?.size.call(value) !== undefined;
  } catch {
    return false;
  }
}

export function blobSize(blob: Blob): number {
  return blobGetters()?.size.call(blob) as number;
}

export async function blobBytes(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await (blobGetters() as BlobGetters).arrayBuffer.call(blob));
}
