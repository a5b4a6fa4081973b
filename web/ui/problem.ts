import { type Language, translate } from './i18n.ts';

/** What went wrong, by the client's code and, where one refused, the rule of SPEC. */
interface Problem {
  readonly code: string;
  readonly rule?: string;
}

/** The sentence of a problem: what happened and what to do. */
export function explain(language: Language, { code, rule }: Problem): string {
  switch (code) {
    case 'offline':
    case 'unsupported':
    case 'too_long':
    case 'invitation':
    case 'closed':
    case 'storage':
      return translate(language, `problem.${code}`);
    case 'refused':
      if (!rule) return translate(language, 'problem.refused');
      return translate(language, rule === 'E27' ? 'problem.soon' : 'problem.rule', { rule });
    default:
      return translate(language, 'problem.unknown', { code });
  }
}
