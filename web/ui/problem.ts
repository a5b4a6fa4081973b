import { type Key, type Language, translate } from './i18n.ts';

/** What went wrong, by the client's code and, where one refused, the rule of SPEC. */
interface Problem {
  readonly code: string;
  readonly rule?: string;
}

/** Rules and codes that have a sentence of their own. */
const sentences: ReadonlyMap<string | undefined, Key> = new Map<string, Key>([
  ['E27', 'problem.soon'],
  ['G7', 'problem.weaker'],
  ['K3', 'problem.other_org'],
  ['S1', 'problem.no_session'],
  ['no_session', 'problem.no_session'],
  ['not_found', 'problem.not_found'],
  ['conflict', 'problem.conflict'],
  ['rate_limited', 'problem.rate_limited'],
  ['unavailable', 'problem.unavailable'],
  ['too_large', 'problem.too_large'],
]);

/** Whether to begin again would only hide it: the page is not what it was, and a person must decide elsewhere. */
export function isFinal({ code, rule }: Problem): boolean {
  return code === 'refused' && (rule === 'K3' || rule === 'G7');
}

/** The sentence of a problem: what happened and what to do. */
export function explain(language: Language, { code, rule }: Problem): string {
  switch (code) {
    case 'offline':
      return translate(language, sentences.get(rule) ?? 'problem.offline');
    case 'lost':
    case 'unsupported':
    case 'too_long':
    case 'invitation':
    case 'closed':
    case 'storage':
      return translate(language, `problem.${code}`);
    case 'refused':
      if (!rule) return translate(language, 'problem.refused');
      return translate(language, sentences.get(rule) ?? 'problem.rule', { rule });
    default:
      return translate(language, 'problem.unknown', { code });
  }
}
