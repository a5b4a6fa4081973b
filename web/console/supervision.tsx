import { dateTime } from '@aldaba/ui';
import { api, type Me, type Supervision as Seen } from './api.ts';
import { useAsked } from './asked.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icon.tsx';
import { useNow } from './inbox/list.tsx';
import { Failed, Loading, Notice, Stale } from './notice.tsx';
import css from './page.module.css';
import { useWords } from './words.tsx';

/** Milliseconds between two looks. */
const age = 5_000;
/** Milliseconds after which a wait is long. */
const long = 5 * 60_000;

/** What the supervisor sees first: alerts, who waits, and who answers. */
export function Supervision({ me }: { me: Me }) {
  const { say } = useWords();
  const { value, problem, again } = useAsked(api.supervision, age);
  const now = useNow(1000);
  if (!value && !problem) return <Loading title={say('agent.nav.supervision')} shape="page" />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <main id="main" className={css.page} tabIndex={0}>
      <header className={css.head}>
        <div>
          <h1>{say('agent.nav.supervision')}</h1>
          <p>{say('supervision.live')}</p>
        </div>
      </header>
      {!value && problem && <Failed problem={problem} again={again} />}
      {value && (
        <>
          <Stale problem={problem} again={again} />
          <Alerts alerts={value.alerts} />
          <Figures seen={value} now={now} />
          <div className={css.columns}>
            <Agents agents={value.agents} />
            <Queue queue={value.queue} departments={me.departments} now={now} />
          </div>
        </>
      )}
    </main>
  );
}

/** Kinds of alerts that have a sentence; another one is shown by its name. */
const kinds = ['wait', 'nobody'] as const;

function Alerts({ alerts }: { alerts: Seen['alerts'] }) {
  const { say, language } = useWords();
  if (alerts.length === 0) {
    return (
      <p className={css.calm}>
        <Icon name="shield" />
        {say('supervision.calm')}
      </p>
    );
  }
  return (
    <ul className={css.alerts} aria-label={say('supervision.alerts')}>
      {alerts.map(({ kind, at, who }) => {
        const known = kinds.find((one) => one === kind);
        return (
          <li key={`${kind} ${at} ${who}`}>
            <Icon name="unreachable" />
            <p>
              {known
                ? say(`alert.${known}`, { who: who ?? '' })
                : say('alert.unknown', { kind, who: who ?? '' })}
            </p>
            <time dateTime={new Date(at).toISOString()}>{dateTime(language, at)}</time>
          </li>
        );
      })}
    </ul>
  );
}

/** Minutes and seconds of a wait, with hours when it comes to that. */
function wait(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number: number) => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function Figures({ seen, now }: { seen: Seen; now: number }) {
  const { say, language } = useWords();
  const number = (count: number) => new Intl.NumberFormat(language).format(count);
  const waiting = seen.queue.reduce((sum, one) => sum + one.waiting, 0);
  const open = seen.agents.reduce((sum, one) => sum + one.open, 0);
  const there = seen.agents.filter(({ state }) => state === 'online');
  const free = there.reduce((sum, { cap, open: busy }) => sum + Math.max(0, cap - busy), 0);
  const oldest = Math.min(...seen.queue.map((one) => one.oldest || Number.POSITIVE_INFINITY));
  const figures = [
    [say('supervision.open'), number(open), ''],
    [
      say('supervision.waiting'),
      number(waiting),
      Number.isFinite(oldest) && waiting > 0 ? say('supervision.longest', { time: wait(now - oldest) }) : '',
    ],
    [
      say('supervision.there'),
      number(there.length),
      say('supervision.of', { all: number(seen.agents.length) }),
    ],
    [say('supervision.free'), number(free), ''],
  ] as const;
  return (
    <dl className={css.figures}>
      {figures.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <b>{value}</b>
            {more && <small>{more}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Agents({ agents }: { agents: Seen['agents'] }) {
  const { say } = useWords();
  return (
    <section className={css.card} aria-labelledby="agents">
      <h2 id="agents">{say('supervision.agents')}</h2>
      {agents.length === 0 ? (
        <Notice icon="people" title={say('supervision.nobody')} text={say('supervision.nobody.text')} />
      ) : (
        <div className={`${css.scroll} ${css.stacks}`}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{say('supervision.agent')}</th>
                <th scope="col">{say('supervision.state')}</th>
                <th scope="col">{say('supervision.load')}</th>
              </tr>
            </thead>
            <tbody>
              {agents.map(({ id, name, state, reason, open, cap }) => (
                <tr key={id}>
                  <th scope="row">
                    <span className={css.person}>
                      <Avatar name={name} size="small" />
                      {name}
                    </span>
                  </th>
                  <td>
                    <span className={css.state} data-state={state}>
                      {say(`duty.${state}`)}
                    </span>
                    {reason && <small>{reason === 'idle' ? say('duty.idle') : reason}</small>}
                  </td>
                  <td>
                    <span className={css.load} data-full={open >= cap}>
                      <meter value={open} max={Math.max(cap, open, 1)} aria-label={say('supervision.load')} />
                      {open}/{cap}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Queue({
  queue,
  departments,
  now,
}: {
  queue: Seen['queue'];
  departments: Me['departments'];
  now: number;
}) {
  const { say, count } = useWords();
  return (
    <section className={css.card} aria-labelledby="queue">
      <h2 id="queue">{say('supervision.queue')}</h2>
      {queue.length === 0 ? (
        <p className={css.soft}>{say('supervision.queue.none')}</p>
      ) : (
        <ul className={css.rows}>
          {queue.map(({ department, waiting, oldest }) => {
            const since = waiting > 0 && oldest ? now - oldest : undefined;
            return (
              <li key={department}>
                <span>
                  <b>{departments.find(({ id }) => id === department)?.name ?? department}</b>
                  <small>{count('supervision.wait', waiting)}</small>
                </span>
                {since !== undefined && (
                  <span className={css.time} data-late={since > long}>
                    <Icon name="loading" />
                    {wait(since)}
                  </span>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
