import { api } from '../api.ts';
import { useAsked } from '../asked.ts';
import { Icon } from '../icon.tsx';
import { Cards, Failed, Stale } from '../notice.tsx';
import css from '../page.module.css';
import { Link } from '../route.tsx';
import { useWords } from '../words.tsx';
import { Departments } from './departments.tsx';
import { People } from './people.tsx';
import { Sites } from './sites.tsx';

const pages = ['settings', 'people', 'sites', 'departments'] as const;

/** Where each thing that is missing is done. */
const places = {
  organisation: 'settings',
  department: 'departments',
  site: 'sites',
  people: 'people',
  chat: '',
} as const;

/** The administrator's pages. */
export function Settings({ page }: { page: string }) {
  const { say } = useWords();
  return (
    <main id="main" className={css.page} tabIndex={-1}>
      <header className={css.head}>
        <div>
          <h1>{say('agent.nav.settings')}</h1>
        </div>
      </header>
      <nav className={css.sections} aria-label={say('agent.nav.settings')}>
        {pages.map((one) => (
          <Link key={one} to={one} current={one === page}>
            {say(`settings.${one}`)}
          </Link>
        ))}
      </nav>
      {page === 'settings' && <Setup />}
      {page === 'people' && <People />}
      {page === 'sites' && <Sites />}
      {page === 'departments' && <Departments />}
    </main>
  );
}

/** What is still missing before visitors can write, each a link to where it is done. */
function Setup() {
  const { say, count } = useWords();
  const { value, problem, again } = useAsked(api.setup, 30_000);
  if (!value) return problem ? <Failed problem={problem} again={again} /> : <Cards />;
  const left = value.filter(({ done }) => !done).length;
  return (
    <>
      <Stale problem={problem} again={again} />
      <section className={css.card} aria-labelledby="setup">
        <h2 id="setup">{left > 0 ? count('setup.left', left) : say('setup.done')}</h2>
        <p className={css.soft}>{say(left > 0 ? 'setup.text' : 'setup.done.text')}</p>
        <ul className={css.todo}>
          {value.map(({ step, done }) => {
            const body = (
              <>
                <Icon name={done ? 'ready' : 'loading'} />
                <span>
                  <b>{say(`setup.${step}`)}</b>
                  <small>{say(done ? 'setup.is' : `setup.${step}.text`)}</small>
                </span>
              </>
            );
            return (
              <li key={step} data-done={done}>
                {done ? (
                  <div data-done="true">{body}</div>
                ) : (
                  <Link to={places[step]}>
                    {body}
                    <Icon name="next" />
                  </Link>
                )}
              </li>
            );
          })}
        </ul>
      </section>
    </>
  );
}
