/** An input that breaks a rule of the specification. The sentence holds nothing private. */
export class Refusal extends Error {
  readonly rule: string;
  readonly code: string;
  readonly sentence: string;

  constructor(rule: string, code: string, sentence: string) {
    super(`${rule} ${code}: ${sentence}`);
    this.name = 'Refusal';
    this.rule = rule;
    this.code = code;
    this.sentence = sentence;
  }
}

/** Refuses what does not hold. The rule is written with its code, 'E9 dup_member', which says enough in most cases. */
export function must(holds: unknown, rule: string, sentence?: string): asserts holds {
  if (holds) return;
  const [id = '', code = ''] = rule.split(' ');
  throw new Refusal(id, code, sentence ?? code.replaceAll('_', ' '));
}

/** Turns a refusal of a part into one of the whole, as in 'E1: it parses, by P'. Other errors stay. */
export async function under<T>(rule: string, part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (error) {
    must(!(error instanceof Refusal), rule, (error as Error).message);
    throw error;
  }
}
