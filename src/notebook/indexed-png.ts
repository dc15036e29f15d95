import { constants, crc32, deflateSync } from 'node:zlib';

/** An opaque picture, four bytes (red, green, blue, alpha) a pixel. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const FILTER_UP = 2;
const MAX_COLORS = 256;

/**
 * A picture as PNG with a palette. Reach for it for charts: few colours, so a quarter of the bytes of
 * resvg's own PNG (bar chart at 1520 × 840: 18 kB for 74 kB), in notebooks that are kept in git.
 * Run lengths alone are compressed: a tenth larger than a full search, 10 ms instead of 60, and the bytes
 * do not depend on how the machine's zlib searches.
 */
export function indexedPng({ width, height, pixels }: Pixels): Buffer {
  const { palette, indexes } = reduced(pixels);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0, at = 0; y < height; y++) {
    rows[at++] = FILTER_UP;
    for (let here = y * width; here < (y + 1) * width; here++) {
      const above = y > 0 ? (indexes[here - width] ?? 0) : 0;
      rows[at++] = (indexes[here] ?? 0) - above;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits a pixel, by palette, nothing interlaced
  const data = deflateSync(rows, { level: 9, memLevel: 9, strategy: constants.Z_RLE });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]))),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Exact up to 256 colours; past that, colours alike in their high bits become the first one met. */
function reduced(pixels: Uint8Array): { palette: number[]; indexes: Uint8Array } {
  for (let dropped = 0; ; dropped++) {
    const mask = 0x010101 * ((0xff << dropped) & 0xff);
    const known = new Map<number, number>();
    const palette: number[] = [];
    const indexes = new Uint8Array(pixels.length / 4);
    for (let i = 0; i < indexes.length && palette.length <= MAX_COLORS; i++) {
      const color = ((pixels[4 * i] ?? 0) << 16) | ((pixels[4 * i + 1] ?? 0) << 8) | (pixels[4 * i + 2] ?? 0);
      let index = known.get(color & mask);
      if (index === undefined) {
        index = palette.push(color) - 1;
        known.set(color & mask, index);
      }
      indexes[i] = index;
    }
    if (palette.length <= MAX_COLORS) return { palette, indexes };
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
