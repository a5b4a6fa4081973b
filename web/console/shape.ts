// What the server's JSON must look like: a check gives the value its type, or throws.

export type Check<T> = (value: unknown) => T;
export type Checked<C> = C extends Check<infer T> ? T : never;

function wrong(wanted: string, value: unknown): never {
  throw new TypeError(`not ${wanted}: ${typeof value}`);
}

export const text: Check<string> = (value) => (typeof value === 'string' ? value : wrong('a text', value));
export const flag: Check<boolean> = (value) => (typeof value === 'boolean' ? value : wrong('a flag', value));
export const number: Check<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong('a number', value);

/** A value that may be left out. */
export const maybe =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value) =>
    value === undefined || value === null ? undefined : check(value);

/** A list; one that is left out is empty, as the server's nil is. */
export const list =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (value) => {
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value.map(check) : wrong('a list', value);
  };

/** One of some words. */
export const one =
  <const T extends string>(...words: readonly T[]): Check<T> =>
  (value) =>
    words.find((word) => word === value) ?? wrong(words.join(' or '), value);

/** An object with these fields; others are passed over. */
export const record =
  <S extends Readonly<Record<string, Check<unknown>>>>(
    shape: S,
  ): Check<{ readonly [K in keyof S]: Checked<S[K]> }> =>
  (value) => {
    if (typeof value !== 'object' || !value) return wrong('an object', value);
    const fields = new Map(Object.entries(value));
    return Object.fromEntries(
      Object.entries(shape).map(([name, check]) => [name, check(fields.get(name))]),
    ) as { readonly [K in keyof S]: Checked<S[K]> };
  };

/** An answer without a body. */
export const nothing: Check<undefined> = () => undefined;
