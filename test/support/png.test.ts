import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { shrinkPng } from '../../scripts/lib/png.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function chunk(type: string, content: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + content.length);
  out.writeUInt32BE(content.length, 0);
  out.write(type, 4, 'latin1');
  out.set(content, 8);
  out.writeUInt32BE(crc32(out.subarray(4, -4)), out.length - 4);
  return out;
}

/** Each row with the filter of its number, as ISO/IEC 15948, 9 has them. */
function encode(rows: readonly (readonly number[])[], size: number): Uint8Array {
  const filtered = rows.map((row, y) => {
    const above = (at: number): number => rows[y - 1]?.[at] ?? 0;
    const guess = (at: number): number => {
      const [a, b, c] = [row[at - size] ?? 0, above(at), at < size ? 0 : above(at - size)];
      const [pa, pb, pc] = [b - c, a - c, a + b - 2 * c].map(Math.abs) as [number, number, number];
      return [0, a, b, Math.floor((a + b) / 2), pa <= pb && pa <= pc ? a : pb <= pc ? b : c][y % 5] ?? 0;
    };
    return [y % 5, ...row.map((value, at) => (value - guess(at)) & 255)];
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE((rows[0]?.length ?? 0) / size, 0);
  header.writeUInt32BE(rows.length, 4);
  header.set([8, size === 4 ? 6 : 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(filtered.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The colours of an indexed picture, row by row. */
function coloursOf(png: Uint8Array): number[][][] {
  const bytes = Buffer.from(png);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const end = at + 8 + bytes.readUInt32BE(at);
    expect(crc32(bytes.subarray(at + 4, end))).toBe(bytes.readUInt32BE(end));
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, end));
  }
  const [header, palette, data] = ['IHDR', 'PLTE', 'IDAT'].map((type) => chunks.get(type) ?? Buffer.alloc(0)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const width = header.readUInt32BE(0);
  const rows = inflateSync(data);
  return Array.from({ length: header.readUInt32BE(4) }, (_, y) =>
    Array.from({ length: width }, (_pixel, x) => [
      ...palette.subarray((rows[y * (width + 1) + 1 + x] ?? 0) * 3).subarray(0, 3),
    ]),
  );
}

const COLOURS = [
  [255, 255, 255],
  [10, 110, 100],
  [20, 30, 40],
  [200, 0, 60],
  [0, 0, 0],
] as const;
const pictured = Array.from({ length: 10 }, (_, y) =>
  Array.from({ length: 7 }, (_pixel, x) => [...(COLOURS[(x * y + x + 2 * y) % 5] ?? [])]),
);

test.each([3, 4])('a picture of few colours stays as it is, whatever its filters (%s bytes a pixel)', (size) => {
  const rows = pictured.map((row) => row.flatMap((colour) => (size === 4 ? [...colour, 255] : colour)));
  expect(coloursOf(shrinkPng(encode(rows, size)))).toEqual(pictured);
});

test('of many colours the most frequent stay, and the others become the nearest of them', () => {
  const many = Array.from({ length: 80 }, (_, y) =>
    Array.from({ length: 80 }, (_pixel, x) => (x < 40 ? [255, 0, 0] : [(x * 3) & 255, (y * 3) & 255, (x * y) & 255])),
  );
  const seen = coloursOf(
    shrinkPng(
      encode(
        many.map((row) => row.flat()),
        3,
      ),
    ),
  );
  expect(seen[5]?.slice(0, 40)).toEqual(many[5]?.slice(0, 40));
  expect(new Set(seen.flat().map(String)).size).toBeLessThanOrEqual(64);
});

test('what is no PNG of a browser is refused', () => {
  expect(() => shrinkPng(new Uint8Array(100))).toThrow('no PNG');
});
