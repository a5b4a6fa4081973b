/** An input that breaks a rule of the specification. The sentence holds nothing private. */
export class Refusal extends Error {
  readonly rule: string;
  readonly code: string;

  constructor(rule: string, code: string, sentence: string) {
    super(`${rule} ${code}: ${sentence}`);
    this.name = 'Refusal';
    this.rule = rule;
    this.code = code;
  }
}
