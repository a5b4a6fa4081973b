import type { Need } from '@aldaba/ui';
import type { ReactNode } from 'react';
import type { Refused } from './api.ts';
import { Icon, type IconName } from './icon.tsx';
import css from './notice.module.css';
import { Skeleton } from './parts.tsx';
import { explainRefusal } from './refusal.ts';
import { Link } from './route.tsx';
import { useWords } from './words.tsx';

interface Noticed {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  /** The page's own heading, or one below it. */
  readonly level?: 'h1' | 'h2';
  readonly bad?: boolean;
  readonly children?: ReactNode;
}

/** One thing to say where nothing is listed: what it is, why, and what next. */
export function Notice({ icon, title, text, level: Heading = 'h2', bad = false, children }: Noticed) {
  return (
    <section className={bad ? 'empty failed' : 'empty'} role={bad ? 'alert' : undefined}>
      <Icon name={icon} />
      <Heading>{title}</Heading>
      <p>{text}</p>
      {children}
    </section>
  );
}

/** A list that could not be fetched, and another try. */
export function Failed({ problem, again }: { problem: Refused; again: () => void }) {
  const { say, language } = useWords();
  return (
    <Notice icon="unreachable" bad title={say('failed.page')} text={explainRefusal(language, problem)}>
      <button type="button" className="button primary" onClick={again}>
        {say('status.retry')}
      </button>
      <small>{say('failed.code', { code: problem.code })}</small>
    </Notice>
  );
}

/** Above what was fetched before: it is not fresh any more. */
export function Stale({ problem, again }: { problem: Refused | undefined; again: () => void }) {
  const { say, language } = useWords();
  if (!problem) return null;
  return (
    <div className="banner" role="status">
      <Icon name="unreachable" />
      <p>
        {explainRefusal(language, problem)} {say('failed.stale')}
      </p>
      <button type="button" className="button" onClick={again}>
        {say('status.retry')}
      </button>
    </div>
  );
}

/** A page before its first answer, in the shape of what comes: a conversation, or cards. */
export function Loading({ title, shape = 'chat' }: { title: string; shape?: 'chat' | 'page' }) {
  const { language } = useWords();
  return (
    <main id="main" className="waiting" tabIndex={-1}>
      <h1 className="hidden">{title}</h1>
      {shape === 'chat' ? <Skeleton language={language} /> : <Cards />}
    </main>
  );
}

/** The shape of a page of cards. */
export function Cards() {
  const { say } = useWords();
  return (
    <div className={css.cards} role="status">
      <span className="hidden">{say('loading')}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** What this browser lacks for sealed conversations. */
export function Lacks({ lacks }: { lacks: readonly Need[] }) {
  const { say, language } = useWords();
  const what = new Intl.ListFormat(language).format(
    lacks.map((need) => (need === 'https' ? say('unsupported.https') : need)),
  );
  return (
    <main id="main" className="waiting" tabIndex={-1}>
      <Notice
        icon="unreachable"
        level="h1"
        bad
        title={say('unsupported.title')}
        text={say('unsupported.text', { what })}
      />
    </main>
  );
}

/** An address that names no page of this role. */
export function NotHere() {
  const { say } = useWords();
  return (
    <main id="main" className="waiting" tabIndex={-1}>
      <Notice icon="inbox" level="h1" title={say('missing.title')} text={say('missing.text')}>
        <Link to="" className="button primary">
          {say('missing.back')}
        </Link>
      </Notice>
    </main>
  );
}
