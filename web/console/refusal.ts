import type { Language } from '@aldaba/ui';
import type { Refused } from './api.ts';
import { type Key, translate } from './words.tsx';

/** Codes that have a sentence of their own; with a field it is looked up with the field first. */
const sentences: ReadonlyMap<string, Key> = new Map<string, Key>([
  ['offline', 'problem.offline'],
  ['rate_limited', 'problem.rate_limited'],
  ['unavailable', 'problem.unavailable'],
  ['not_found', 'problem.not_found'],
  ['conflict', 'refused.conflict'],
  ['denied', 'refused.denied'],
  ['http_403', 'refused.denied'],
  ['http_404', 'problem.not_found'],
  ['at_capacity', 'refused.at_capacity'],
  ['http_502', 'problem.offline'],
  ['wrong_password', 'sign.refused'],
  ['wrong_code', 'sign.code.refused'],
  ['not_signed_in', 'sign.ended'],
  ['link_ended', 'join.gone.text'],
  ['login_taken', 'people.login.taken'],
  ['suspended', 'refused.suspended'],
  ['last_administrator', 'refused.last_administrator'],
  ['password_short', 'password.short'],
  ['password_long', 'password.longest'],
  ['password_common', 'password.common'],
  ['password_pattern', 'password.pattern'],
  ['password_known', 'password.personal'],
  ['device_of_another', 'refused.device_of_another'],
  ['http_503', 'problem.unavailable'],
]);

/** Codes and fields that a certain form explains better. */
export type Told = Readonly<Record<string, Key>>;

/** What was refused and what to do, as a sentence. The form's own words for a field or code come first. */
export function explainRefusal(language: Language, refused: Refused, told: Told = {}): string {
  const { code, field, limit } = refused;
  const key = told[`${field}:${code}`] ?? told[code] ?? sentences.get(code) ?? told[field];
  const values = {
    code,
    field,
    limit: limit === undefined ? '' : new Intl.NumberFormat(language).format(limit),
  };
  if (key) return translate(language, key, values);
  return translate(language, field ? 'refused.field' : 'refused.unknown', values);
}
