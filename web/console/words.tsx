import { type Language, type Key as Shared, speaker } from '@aldaba/ui';
import { createContext, type ReactNode, useContext } from 'react';
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };

/** The keys of the shared catalogue and of the console's own. */
export type Key = Shared | keyof typeof es;

export const { translate, translateCount } = speaker<keyof typeof es>({ es, en });

const Spoken = createContext<Language>('en');

/** Gives every part below it the language of the page. */
export function Words({ language, children }: { language: Language; children: ReactNode }) {
  return <Spoken value={language}>{children}</Spoken>;
}

type Rest<F> = F extends (language: Language, ...rest: infer R) => string ? R : never;

/** The page's language, and its texts by key. */
export function useWords() {
  const language = useContext(Spoken);
  return {
    language,
    say: (...rest: Rest<typeof translate>) => translate(language, ...rest),
    count: (...rest: Rest<typeof translateCount>) => translateCount(language, ...rest),
  };
}
