import type { Language } from '@aldaba/ui';
import type { ReactNode } from 'react';
import { Icon } from '../icon.tsx';
import { Languages, ServerHealth } from '../parts.tsx';
import { useWords } from '../words.tsx';
import css from './entry.module.css';

interface Standing {
  readonly choose: (language: Language) => void;
  readonly title: string;
  readonly children: ReactNode;
}

/** The page of somebody who is not in yet: one thing to do, in the middle. */
export function Gate({ choose, title, children }: Standing) {
  const { language } = useWords();
  return (
    <div className={css.gate}>
      <header>
        <Icon name="mark" className="mark" />
        <strong>Aldaba</strong>
        <Languages language={language} choose={choose} />
      </header>
      <main>
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </main>
      <footer>
        <ServerHealth language={language} />
      </footer>
    </div>
  );
}
