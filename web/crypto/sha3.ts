// SHA3-256 and SHAKE256 (FIPS 202), which engines do not have. X-Wing hashes
// less than a block with each, so that this is written for size, not for speed.
import type { Bytes } from './bytes.ts';

/** Bytes of the state that input goes into, the same for both. */
const rate = 136;

/** Keccak-f[1600] over 25 lanes; storing into the array cuts a lane to its 64 bits. */
function permute(lanes: BigUint64Array): void {
  const lane = (at: number) => lanes[at] ?? 0n;
  const rotate = (value: bigint, by: number) => (value << BigInt(by)) | (value >> BigInt(64 - by));
  let shift = 1;
  for (let round = 0; round < 24; round++) {
    const columns = [0, 1, 2, 3, 4].map((x) => [0, 5, 10, 15, 20].reduce((sum, y) => sum ^ lane(x + y), 0n));
    const column = (x: number) => columns[x % 5] ?? 0n;
    for (let at = 0; at < 25; at++) lanes[at] = lane(at) ^ column(at + 4) ^ rotate(column(at + 1), 1);
    let [x, y, moving] = [1, 0, lane(1)];
    for (let step = 1; step < 25; step++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = lane(x + 5 * y);
      lanes[x + 5 * y] = rotate(moving, ((step * (step + 1)) / 2) % 64);
      moving = next;
    }
    for (let row = 0; row < 25; row += 5) {
      const old = lanes.slice(row, row + 5);
      const other = (at: number) => old[at % 5] ?? 0n;
      for (let at = 0; at < 5; at++) lanes[row + at] = other(at) ^ (~other(at + 1) & other(at + 2));
    }
    for (let bit = 0; bit < 7; bit++) {
      if (shift & 1) lanes[0] = lane(0) ^ (1n << BigInt(2 ** bit - 1));
      shift = shift & 0x80 ? (shift << 1) ^ 0x171 : shift << 1;
    }
  }
}

/** n bytes, at most a block. Lanes are little-endian, as are the machines that browsers run on. */
function sponge(suffix: number, input: Uint8Array, n: number): Bytes {
  const lanes = new BigUint64Array(25);
  const state = new Uint8Array(lanes.buffer);
  let at = 0;
  const absorb = (byte: number, place: number) => {
    state[place] = (state[place] ?? 0) ^ byte;
  };
  for (const byte of input) {
    absorb(byte, at++);
    if (at === rate) {
      permute(lanes);
      at = 0;
    }
  }
  absorb(suffix, at);
  absorb(0x80, rate - 1);
  permute(lanes);
  const out = state.slice(0, n);
  state.fill(0);
  return out;
}

export function sha3(input: Uint8Array): Bytes {
  return sponge(6, input, 32);
}

/** n bytes, at most 136. */
export function shake(input: Uint8Array, n: number): Bytes {
  return sponge(0x1f, input, n);
}
