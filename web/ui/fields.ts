// What a visitor answers to a site's questions, checked by what each asks for.
import type { Key } from './i18n.ts';

interface Asked {
  readonly kind: 'text' | 'mail' | 'phone' | 'choice';
  readonly required: boolean;
  readonly choices: readonly string[];
}

/** The most that one answer holds, in bytes of UTF-8. */
const longestAnswer = 200;

/** The sentence of what is wrong with an answer; undefined when nothing is. */
export function faultOf({ kind, required, choices }: Asked, answer: string): Key | undefined {
  const text = answer.trim();
  if (!text) return required ? 'field.required' : undefined;
  if (new TextEncoder().encode(text).length > longestAnswer) return 'field.long';
  switch (kind) {
    case 'mail':
      // One @, a name before it, a dot in what is behind: the rest only a letter can tell.
      if (!text.includes('@')) return 'field.mail.at';
      return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text) ? undefined : 'field.mail';
    case 'phone': {
      if (/[^\d\s()+./-]/.test(text)) return 'field.phone.letters';
      const digits = text.replace(/\D/g, '').length;
      return digits < 6 || digits > 15 ? 'field.phone' : undefined;
    }
    case 'choice':
      return choices.includes(text) ? undefined : 'field.choice';
    case 'text':
      return undefined;
  }
}
