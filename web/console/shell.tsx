import type { Language } from '@aldaba/ui';
import type { ReactNode } from 'react';
import { Account } from './account.tsx';
import type { Me, Role } from './api.ts';
import { Icon, type IconName } from './icon.tsx';
import { Link, useRoute } from './route.tsx';
import css from './shell.module.css';
import { type Key, useWords } from './words.tsx';

interface Section {
  readonly name: 'inbox' | 'supervision' | 'settings';
  readonly icon: IconName;
  readonly to: string;
  /** Its pages, by their names in the address. */
  readonly pages: readonly string[];
  readonly roles: readonly Role[];
}

/** What each role may go to. The server decides about every request anew; this only spares the way there. */
const sections: readonly Section[] = [
  {
    name: 'inbox',
    icon: 'inbox',
    to: '',
    pages: [''],
    roles: ['agent', 'supervisor', 'administrator'],
  },
  {
    name: 'supervision',
    icon: 'pulse',
    to: 'supervision',
    pages: ['supervision'],
    roles: ['supervisor', 'administrator'],
  },
  {
    name: 'settings',
    icon: 'settings',
    to: 'settings',
    pages: ['settings', 'people', 'sites', 'departments'],
    roles: ['administrator'],
  },
];

/** An administrator without a department answers nobody, and has no inbox. */
export const answersNobody = (me: Me) => me.role === 'administrator' && me.departments.length === 0;

const sectionsOf = (me: Me) =>
  sections.filter(({ name, roles }) => roles.includes(me.role) && !(name === 'inbox' && answersNobody(me)));

/** The section that an address belongs to, if this person has it. */
export function sectionOf(page: string, me: Me): Section['name'] | undefined {
  return sectionsOf(me).find(({ pages }) => pages.includes(page))?.name;
}

interface Standing {
  readonly me: Me;
  readonly choose: (language: Language) => void;
  /** What the badge at the inbox counts. */
  readonly unread: number;
  readonly changed: () => void;
  readonly left: () => void;
  readonly children: ReactNode;
}

/** The rail of sections, and the page beside it. */
export function Shell({ me, choose, unread, changed, left, children }: Standing) {
  const { say, count, language } = useWords();
  const page = useRoute();
  const badge = new Intl.NumberFormat(language).format(Math.min(unread, 99));
  return (
    <div className={css.shell}>
      <a className={css.skip} href="#main">
        {say('shell.skip')}
      </a>
      <nav className={css.rail} aria-label={say('agent.nav')}>
        <Icon name="mark" className={`mark ${css.mark}`} />
        {sectionsOf(me).map(({ name, icon, to }) => (
          <Link key={name} to={to} className={css.item} current={sectionOf(page, me) === name}>
            <Icon name={icon} />
            <span className={css.label}>{say(`agent.nav.${name}` satisfies Key)}</span>
            {name === 'inbox' && unread > 0 && (
              <b className={css.badge}>
                <span aria-hidden="true">{badge}</span>
                <span className="hidden">{count('inbox.unread', unread)}</span>
              </b>
            )}
          </Link>
        ))}
        <Account me={me} choose={choose} changed={changed} left={left} />
      </nav>
      <div className={css.page}>{children}</div>
    </div>
  );
}
