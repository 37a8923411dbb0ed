/** Standard input as messages: a line each, chunks as they come, or all of it as one. */
import type { Readable } from 'node:stream';
import type { Action, Format } from './formats.ts';
import { InputError, parseJsonAction, parseMessage } from './formats.ts';

export interface InputSettings {
  readonly format: Format;
  /** Lines are JSON objects, whatever `format` says. */
  readonly json: boolean;
  /** All of it is one message. */
  readonly whole: boolean;
  /** Bytes of one message in format raw. */
  readonly chunk: number;
}

/** A line, or the whole input, must have an end. */
const MAX_BYTES = 1024 * 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** @throws {InputError} that names the line */
export async function* actionsOf(
  input: Readable,
  { format, json, whole, chunk }: InputSettings,
): AsyncGenerator<Action> {
  if (whole) {
    yield { type: 'message', message: parseMessage(await all(input), format) };
    return;
  }
  if (format === 'raw' && !json) {
    for await (const bytes of input as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length; at += chunk)
        yield { type: 'message', message: { binary: bytes.subarray(at, at + chunk) } };
    }
    return;
  }
  let number = 0;
  for await (const line of linesOf(input)) {
    number += 1;
    try {
      yield json ? parseJsonAction(line) : { type: 'message', message: parseMessage(line, format) };
    } catch (error) {
      if (error instanceof InputError) throw new InputError(`input line ${number}: ${error.message}`);
      throw error;
    }
  }
}

/** Lines without their ends. What follows the last newline is a line if there is any of it. */
async function* linesOf(input: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield withoutReturn(Buffer.concat([...parts, chunk.subarray(start, end)]));
      parts = [];
      held = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > MAX_BYTES) throw new InputError('a line is longer than 1 GiB');
  }
  if (held > 0) yield withoutReturn(Buffer.concat(parts));
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}

async function all(input: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) throw new InputError('the input is longer than 1 GiB');
  }
  return Buffer.concat(chunks);
}
