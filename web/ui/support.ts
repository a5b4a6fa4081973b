/** What a sealed conversation needs of a browser. */
export type Need = 'https' | 'Ed25519' | 'X25519' | 'Web Workers';

/** The parts of the page that are asked; tests pass less. */
interface Engine {
  readonly isSecureContext?: boolean;
  readonly Worker?: unknown;
  readonly crypto?: { readonly subtle?: SubtleCrypto };
}

/** Whether the engine makes keys of a kind: it throws where it does not know it. */
async function makes(subtle: SubtleCrypto, name: string, usages: KeyUsage[]): Promise<boolean> {
  try {
    await subtle.generateKey({ name }, false, usages);
    return true;
  } catch {
    return false;
  }
}

/** What the browser lacks, empty when it is enough. Only a page by https (or this machine) has keys at all. */
export async function lacking(engine: Engine): Promise<readonly Need[]> {
  const lacks: Need[] = [];
  const subtle = engine.crypto?.subtle;
  if (!engine.isSecureContext) lacks.push('https');
  else {
    if (!subtle || !(await makes(subtle, 'Ed25519', ['sign', 'verify']))) lacks.push('Ed25519');
    if (!subtle || !(await makes(subtle, 'X25519', ['deriveBits']))) lacks.push('X25519');
  }
  if (typeof engine.Worker !== 'function') lacks.push('Web Workers');
  return lacks;
}

/** Whether the page may keep keys: a browser that blocks storage of frames throws, or refuses the database. */
export async function keeps(engine: { readonly indexedDB?: IDBFactory }): Promise<boolean> {
  try {
    const opening = engine.indexedDB?.open('aldaba', 1);
    if (!opening) return false;
    // The vault makes the same place: whoever comes first does.
    opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
    return await new Promise((done) => {
      opening.onsuccess = () => {
        opening.result.close();
        done(true);
      };
      opening.onerror = () => done(false);
    });
  } catch {
    return false;
  }
}
