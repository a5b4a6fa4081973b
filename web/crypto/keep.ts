// What is kept between runs: keys that cannot be taken out, and the highest
// that was seen. Values are cloned, and stay as they are until they are changed.

export interface Keep {
  get(key: string): Promise<unknown>;
  /** One step that nobody comes between: several tabs keep in one place. `change` must not wait; nothing is kept of undefined. */
  update(key: string, change: (old: unknown) => unknown): Promise<void>;
  /** Every value whose key begins so. */
  list(prefix: string): Promise<readonly unknown[]>;
  drop(prefix: string): Promise<void>;
}

/** For one run only. */
export function memoryKeep(): Keep {
  const kept = new Map<string, unknown>();
  const under = (prefix: string) => [...kept.keys()].filter((key) => key.startsWith(prefix));
  return {
    get: async (key) => kept.get(key),
    async update(key, change) {
      const next = change(kept.get(key));
      if (next !== undefined) kept.set(key, next);
    },
    list: async (prefix) => under(prefix).map((key) => kept.get(key)),
    async drop(prefix) {
      for (const key of under(prefix)) kept.delete(key);
    },
  };
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

/** IndexedDB of this origin. Its structured clone keeps a CryptoKey without opening it. */
export function browserKeep(name = 'aldaba'): Keep {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
  const database = settled(opening);
  database.catch(() => {});
  const range = (prefix: string) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  const store = async (mode: IDBTransactionMode) =>
    (await database).transaction('kept', mode).objectStore('kept');
  /** A change is kept when its transaction is, not before. */
  const write = async (act: (kept: IDBObjectStore) => void) => {
    const kept = await store('readwrite');
    await new Promise<void>((done, failed) => {
      kept.transaction.oncomplete = () => done();
      kept.transaction.onabort = () => failed(kept.transaction.error);
      act(kept);
    });
  };
  return {
    get: async (key) => settled((await store('readonly')).get(key)),
    list: async (prefix) => settled((await store('readonly')).getAll(range(prefix))),
    update: (key, change) =>
      write((kept) => {
        const old = kept.get(key);
        old.onsuccess = () => {
          const next = change(old.result);
          if (next !== undefined) kept.put(next, key);
        };
      }),
    drop: (prefix) => write((kept) => kept.delete(range(prefix))),
  };
}
