// The objects of protocol/SPEC.md, sections 3 and 4: one table for the parser
// and for the encoder. Names of fields are those of the specification, shortened.
import { type Bytes, concat, equal, sha256, uint } from './bytes.ts';
import { sign } from './ed25519.ts';
import { must } from './refusal.ts';

const suite = 0x647a;
const codes =
  ' too_large bad_version bad_kind bad_suite bad_length trailing bad_int bad_text bad_value not_canonical';

/** Refuses by rule P<n>. */
function mustP(holds: unknown, n: number, sentence: string): asserts holds {
  must(holds, `P${n} ${codes.split(' ')[n]}`, sentence);
}

/** Where a reader stands; `late` is the first broken rule of P7 to P9, which come after P5 and P6. */
interface Reader {
  readonly bytes: Bytes;
  at: number;
  field: string;
  late: [rule: number, sentence: string];
}

interface Codec<T> {
  read(from: Reader): T;
  write(value: T, to: Uint8Array[]): void;
}

type Values<F> = { readonly [Name in keyof F]: F[Name] extends Codec<infer T> ? T : never };

function cut(from: Reader, n: number): Bytes {
  const end = from.at + n;
  mustP(end <= from.bytes.length, 5, `the object ends inside ${from.field}`);
  const part = from.bytes.subarray(from.at, end);
  from.at = end;
  return part;
}

function later(from: Reader, holds: boolean, rule: number, what: string): void {
  if (!holds && rule < from.late[0]) from.late = [rule, `${from.field} ${what}`];
}

function bytes(n: number): Codec<Bytes> {
  return { read: (from) => cut(from, n), write: (value, to) => to.push(value) };
}

/** An integer of n bytes; its values when they are few. */
function int(n: number, lowest = 0, highest = Number.MAX_SAFE_INTEGER): Codec<number> {
  return {
    read(from) {
      const value = cut(from, n).reduce((sum, byte) => sum * 256 + byte, 0);
      later(from, value <= Number.MAX_SAFE_INTEGER, 7, 'is above 2^53-1');
      later(from, value >= lowest && value <= highest, 9, `is not from ${lowest} to ${highest}`);
      return value;
    },
    write: (value, to) => to.push(uint(value, n)),
  };
}

/** Bytes after their length of n bytes, which `fits`. */
function blob(n: number, fits = (_size: number, _object: Uint8Array) => true): Codec<Bytes> {
  const length = int(n);
  return {
    read(from) {
      const size = length.read(from);
      mustP(fits(size, from.bytes), 5, `${from.field} may not have ${size} bytes`);
      return cut(from, size);
    },
    write: (value, to) => to.push(uint(value.length, n), value),
  };
}

/** The text of UTF-8, or nothing when it is not that. */
export function utf8(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

const shortest = blob(1);
/** A name: P8 says what it may not hold. */
const label: Codec<string> = {
  read(from) {
    const content = shortest.read(from);
    const text = utf8(content);
    const plain = text !== undefined && content.length <= 64 && !/[\p{Cc}\p{Bidi_C}\u2028\u2029]/u.test(text);
    later(from, plain, 8, 'is not UTF-8 of at most 64 bytes without control characters');
    return text ?? '';
  },
  write: (value, to) => shortest.write(new TextEncoder().encode(value) as Bytes, to),
};

/** Items after their count of n bytes. Memory is taken for items that are there, not for the count. */
function list<T>(n: number, item: Codec<T>): Codec<readonly T[]> {
  const count = int(n);
  return {
    read(from) {
      const items: T[] = [];
      for (let rest = count.read(from); rest > 0; rest--) items.push(item.read(from));
      return items;
    },
    write(items, to) {
      to.push(uint(items.length, n));
      for (const each of items) item.write(each, to);
    },
  };
}

/** Fields in the order of the specification, and what holds between them (P9). */
function record<F extends Record<string, Codec<unknown>>>(
  fields: F,
  agrees: (values: Values<F>) => boolean = () => true,
): Codec<Values<F>> {
  return {
    read(from) {
      const values = {} as Record<string, unknown>;
      for (const [name, codec] of Object.entries(fields)) {
        from.field = name;
        values[name] = codec.read(from);
      }
      later(from, agrees(values as Values<F>), 9, 'stands after fields that do not agree');
      return values as Values<F>;
    },
    write(values, to) {
      for (const [name, codec] of Object.entries(fields)) {
        const value: unknown = values[name];
        if (value !== undefined) codec.write(value, to);
      }
    },
  };
}

const id = bytes(16);
const hash = bytes(32);
const sig = bytes(64);
const long = int(8);
const word = int(4);
const short = int(2);
const flag = int(1, 0, 1);
const two = int(1, 1, 2);
const role = int(1, 1, 8);
/** Roles with a certificate. */
const certified = int(1, 2, 8);
const any = int(1);

/** A second signature where more than a first one is left; E22 says whether it may be. */
const countersig: Codec<Bytes | undefined> = {
  read: (from) => (from.bytes.length - from.at < 64 ? undefined : cut(from, 64)),
  write: (value, to) => value && to.push(value),
};

/** `accept` of an epoch that accepts nothing. */
export const nobody = 0xffff;

/** The fields of a form, which is no object: the content of a payload (section 4.3). */
const form = list(1, record({ name: label, kind: int(1, 1, 6), value: blob(2, (size) => size <= 1024) }));

export function parseForm(content: Bytes) {
  const from: Reader = { bytes: content, at: 0, field: '', late: [10, ''] };
  const fields = form.read(from);
  mustP(from.at === content.length, 6, 'bytes follow the form');
  mustP(from.late[0] === 10, ...from.late);
  return fields;
}

export function encodeForm(fields: ReturnType<typeof parseForm>): Bytes {
  const parts: Uint8Array[] = [];
  form.write(fields, parts);
  return concat(...parts);
}

const table = {
  1: record({ org: hash, dept: id, mode: two, policy: hash, pk: hash, nonce: hash, time: long, sig }),
  2: record(
    {
      conv: hash,
      n: word,
      prev: hash,
      seenSeq: long,
      seenLog: hash,
      time: long,
      author: short,
      accept: short,
      reason: int(1, 0, 5),
      version: word,
      policy: hash,
      notes: hash,
      logRoot: hash,
      members: list(1, record({ leaf: short, role, cert: hash, key: hash })),
      commit: hash,
      wraps: list(1, hash),
      sig,
      countersig,
    },
    ({ n, reason, accept }) => (reason === 0) === (n === 0) && (reason === 1) === (accept !== nobody),
  ),
  3: record(
    {
      n: word,
      leaf: short,
      class: int(1, 1, 4),
      msgId: id,
      seenSeq: long,
      seenLog: hash,
      time: long,
      ct: blob(2, (size) => size >= 80 && size <= 12304),
      C: hash,
      sig,
    },
    ({ time }) => time % 1000 === 0,
  ),
  4: record(
    {
      conv: hash,
      epoch: hash,
      fromN: word,
      toN: word,
      toLeaf: short,
      author: short,
      seenSeq: long,
      seenLog: hash,
      time: long,
      enc: bytes(1120),
      // Secrets of at most 2000 epochs.
      ct: blob(2, (size) => size >= 48 && size <= 64016),
      sig,
    },
    ({ fromN, toN }) => fromN <= toN,
  ),
  5: record({ org: hash, owner: hash, kem: bytes(1216), from: long, until: long, sig }),
  7: record({
    org: hash,
    root: hash,
    version: word,
    time: long,
    minVer: any,
    nextRoot: hash,
    statusKey: hash,
    statusCustody: two,
    maxDays: short,
    logRequired: flag,
    enrollers: list(1, hash),
    issuers: list(1, record({ alg: two, iss: label, key: blob(1) })),
    departments: list(
      1,
      record(
        {
          dept: id,
          mode: two,
          roles: short,
          takeover: flag,
          keepDept: flag,
          history: flag,
          maxAgeHours: short,
          maxDays: short,
          mandatory: list(1, record({ role: certified, subject: id })),
        },
        // A bit for each of the roles 2 to 8.
        ({ roles }) => (roles & ~0x1fc) === 0,
      ),
    ),
    sig,
  }),
  8: record(
    {
      org: hash,
      kind: int(1, 2, 9),
      custody: two,
      subject: id,
      device: id,
      serial: id,
      dept: id,
      gen: word,
      rights: int(1, 0, 7),
      departments: list(1, id),
      name: label,
      title: label,
      pk: hash,
      from: long,
      until: long,
      issuer: hash,
      sig,
    },
    ({ kind, rights, dept, gen }) =>
      (kind === 9 || rights === 0) && (kind === 4 || (gen === 0 && !dept.some((byte) => byte !== 0))),
  ),
  9: record({
    org: hash,
    version: word,
    policy: hash,
    issued: long,
    until: long,
    minGen: list(1, record({ dept: id, gen: word, since: long })),
    revoked: list(2, record({ cert: hash, since: long })),
    logSize: long,
    logRoot: hash,
    sig,
  }),
  10: record({
    org: hash,
    invitation: id,
    subject: id,
    device: id,
    kind: certified,
    pk: hash,
    time: long,
    sig,
  }),
  11: record({ old: hash, new: hash, version: word, time: long, sigOld: sig, sig }),
  12: record({ conv: hash, seq: long, log: hash, received: long, sig }),
  13: record({ org: hash, challenge: hash, owner: hash, time: long, sig }),
  14: record({
    type: int(1, 1, 3),
    leaf: short,
    to: hash,
    enc: bytes(1120),
    // Its size is that of the type, which stands behind the header.
    ct: blob(1, (size, object) => size === (object[4] === 2 ? 80 : 48)),
  }),
};

/** Largest size of an object by its kind, in bytes, where it is not 512. */
const limits: Readonly<Record<number, number>> = {
  2: 4096,
  3: 16384,
  4: 65536,
  5: 2048,
  7: 16384,
  8: 1024,
  9: 262144,
  14: 2048,
};

export type Kind = keyof typeof table;
type Body<K extends Kind> = (typeof table)[K] extends Codec<infer T> ? T : never;
/** Fields without the last signature: what is signed, or the whole of a wrap. */
export type Draft<K extends Kind> = Omit<Body<K>, 'sig' | 'countersig'>;
/** An object that keeps P1 to P10. */
export type Parsed<K extends Kind> = Body<K> & { readonly bytes: Bytes };
/** The same with the SHA-256 of its complete bytes. */
export type Obj<K extends Kind> = Parsed<K> & { readonly hash: Bytes };

function header(kind: number): Bytes {
  return concat(uint(1, 1), uint(kind, 1), uint(suite, 2));
}

/** Header and fields; a signature that is not there is left out. */
export function encode<K extends Kind>(kind: K, values: Draft<K>): Bytes {
  const parts: Uint8Array[] = [header(kind)];
  (table[kind] as Codec<unknown>).write(values, parts);
  return concat(...parts);
}

/** [P1 to P10] The object of that kind, whose fields are views of its bytes; or a refusal. */
export function parse<K extends Kind>(object: Bytes, kind: K): Parsed<K> {
  const limit = limits[kind] ?? 512;
  mustP(object.length <= limit, 1, `an object of kind ${kind} has at most ${limit} bytes`);
  mustP(object.length >= 4, 5, 'the header is cut');
  mustP(object[0] === 1, 2, 'the version is not 1');
  mustP(object[1] === kind, 3, `the kind is not ${kind}`);
  mustP(equal(object.subarray(0, 4), header(kind)), 4, 'the suite is not 0x647a');
  const from: Reader = { bytes: object, at: 4, field: '', late: [10, ''] };
  const values = (table[kind] as Codec<unknown>).read(from) as Body<K>;
  mustP(from.at === object.length, 6, 'bytes follow the last field');
  mustP(from.late[0] === 10, ...from.late);
  mustP(equal(encode(kind, values), object), 10, 'the encoding is not the only one');
  return { ...(values as object), bytes: object } as Parsed<K>;
}

export async function read<K extends Kind>(object: Bytes, kind: K): Promise<Obj<K>> {
  return { ...parse(object, kind), hash: await sha256(object) };
}

/** The complete object, with its signature. `prefix` is for events only. */
export async function signed<K extends Kind>(
  kind: K,
  draft: Draft<K>,
  key: CryptoKey,
  org: Uint8Array,
  prefix: Uint8Array = new Uint8Array(),
): Promise<Bytes> {
  const content = encode(kind, draft);
  return concat(content, await sign(key, kind, org, prefix, content));
}

/** What an epoch's commitment and wraps are bound to: header and core. */
export function core(epoch: { readonly bytes: Bytes; readonly members: readonly unknown[] }): Bytes {
  return epoch.bytes.subarray(0, 226 + 67 * epoch.members.length);
}

/** What a grant's secrets are bound to: everything before them. */
export function grantHead(grant: Uint8Array): Bytes {
  return concat(grant.subarray(0, 128));
}

/** `h` of an event: object header and header. */
export function eventHeader(event: Uint8Array): Bytes {
  return concat(event.subarray(0, 75));
}

/** `h0`: the same without the id. */
export function headerWithoutId(event: Uint8Array): Bytes {
  return concat(event.subarray(0, 11), event.subarray(27, 75));
}
