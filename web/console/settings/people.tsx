import { dateTime } from '@aldaba/ui';
import { useId, useRef, useState } from 'react';
import { api, type Department, type OneTimeLink, type Person } from '../api.ts';
import { useAct, useAsked } from '../asked.ts';
import { Avatar } from '../avatar.tsx';
import { Choices, Dialog } from '../dialog.tsx';
import { Copy, Field } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { Cards, Failed, Notice, Stale } from '../notice.tsx';
import css from '../page.module.css';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';
import { PersonForm } from './person.tsx';

/** What is open above the table. */
type Open =
  | { readonly what: 'invite' }
  | { readonly what: 'edit' | 'suspend' | 'remove'; readonly person: Person }
  | { readonly what: 'link'; readonly name: string; readonly link: OneTimeLink };

/** Asks for both; a person is shown with the names of their departments. */
const both = async () => {
  const [people, departments] = await Promise.all([api.people(), api.departments()]);
  return { people, departments };
};

/** Who works here, and what each may do. */
export function People() {
  const { say, count, language } = useWords();
  const { value, problem, again } = useAsked(both);
  const [open, setOpen] = useState<Open>();
  const { refusal, run } = useAct();
  if (!value) return problem ? <Failed problem={problem} again={again} /> : <Cards />;
  const close = () => setOpen(undefined);
  const done = () => {
    close();
    again();
  };
  const fresh = (person: Person) =>
    run(async () => setOpen({ what: 'link', name: person.name, link: await api.linkPerson(person.id) }));
  const resume = (person: Person) =>
    run(async () => {
      await api.resume(person.id);
      again();
    });
  return (
    <>
      <Stale problem={problem} again={again} />
      <section className={css.card} aria-labelledby="people">
        <div className={css.top}>
          <h2 id="people">{count('people.count', value.people.length)}</h2>
          <button type="button" className="button primary" onClick={() => setOpen({ what: 'invite' })}>
            <Icon name="plus" />
            {say('people.invite')}
          </button>
        </div>
        {refusal && (
          <p className={css.bad} role="alert">
            {explainRefusal(language, refusal)}
          </p>
        )}
        {value.people.length === 0 ? (
          <Notice icon="people" title={say('people.none')} text={say('people.none.text')} />
        ) : (
          <Table
            people={value.people}
            departments={value.departments}
            act={(what, person) => {
              if (what === 'link') fresh(person);
              else if (what === 'resume') resume(person);
              else setOpen({ what, person });
            }}
          />
        )}
      </section>
      {open?.what === 'invite' && (
        <PersonForm
          departments={value.departments}
          close={close}
          invited={(name, link) => {
            setOpen({ what: 'link', name, link });
            again();
          }}
          done={done}
        />
      )}
      {open?.what === 'edit' && (
        <PersonForm person={open.person} departments={value.departments} close={close} done={done} />
      )}
      {open?.what === 'link' && <LinkShown name={open.name} link={open.link} close={close} />}
      {(open?.what === 'suspend' || open?.what === 'remove') && (
        <Sure what={open.what} person={open.person} close={close} done={done} />
      )}
    </>
  );
}

type Act = 'edit' | 'suspend' | 'resume' | 'remove' | 'link';

function Table({
  people,
  departments,
  act,
}: {
  people: readonly Person[];
  departments: readonly Department[];
  act: (what: Act, person: Person) => void;
}) {
  const { say, language } = useWords();
  const named = new Map(departments.map(({ id, name }) => [id, name]));
  return (
    <div className={`${css.scroll} ${css.stacks}`}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{say('people.name')}</th>
            <th scope="col">{say('people.role')}</th>
            <th scope="col">{say('settings.departments')}</th>
            <th scope="col">{say('supervision.state')}</th>
            <th scope="col">
              <span className="hidden">{say('people.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <tr key={person.id}>
              <th scope="row">
                <span className={css.person}>
                  <Avatar name={person.name} size="small" />
                  <span>
                    {person.name}
                    <small>{[person.login, person.title].filter(Boolean).join(' · ')}</small>
                  </span>
                </span>
              </th>
              <td>{say(`staff.${person.role}`)}</td>
              <td>
                {new Intl.ListFormat(language).format(person.departments.map((id) => named.get(id) ?? id)) ||
                  '—'}
              </td>
              <td>
                <span className={css.state} data-state={person.state}>
                  {say(`people.${person.state}`)}
                </span>
                {person.lastSeen !== undefined && (
                  <small>{say('people.seen', { time: dateTime(language, person.lastSeen) })}</small>
                )}
              </td>
              <td>
                <Actions person={person} act={(what) => act(what, person)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What can be done with one person: to edit at once, the rest behind a button. */
function Actions({ person, act }: { person: Person; act: (what: Act) => void }) {
  const { say } = useWords();
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const more: readonly (readonly [Act, string])[] = [
    ['link', say('people.link')],
    person.state === 'suspended' ? ['resume', say('people.resume')] : ['suspend', say('people.suspend')],
    ['remove', say('remove')],
  ];
  return (
    <div className={css.actions}>
      <button type="button" className="button" onClick={() => act('edit')}>
        {say('edit')}
        <span className="hidden"> {person.name}</span>
      </button>
      <button type="button" className={`button bare ${css.more}`} popoverTarget={id}>
        <Icon name="more" />
        <span className="hidden">{say('people.more', { name: person.name })}</span>
      </button>
      <div ref={menu} id={id} popover="auto" className={css.menu}>
        {more.map(([what, name]) => (
          <button
            key={what}
            type="button"
            data-danger={what === 'suspend' || what === 'remove'}
            onClick={() => {
              menu.current?.hidePopover();
              act(what);
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}

/** The one-time link, which is shown this once. */
function LinkShown({ name, link, close }: { name: string; link: OneTimeLink; close: () => void }) {
  const { say, language } = useWords();
  return (
    <Dialog title={say('people.link.title', { name })} close={close}>
      <div className={css.form}>
        <p className={css.soft}>{say('people.link.text', { time: dateTime(language, link.expires) })}</p>
        <Field
          label={say('people.link')}
          readOnly
          value={link.link}
          onFocus={({ target }) => target.select()}
        />
        <div className="choices">
          <Copy text={link.link} />
          <button type="button" className="button primary" onClick={close}>
            {say('done')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** Asks before somebody loses their access. */
function Sure({
  what,
  person,
  close,
  done,
}: {
  what: 'suspend' | 'remove';
  person: Person;
  close: () => void;
  done: () => void;
}) {
  const { say, language } = useWords();
  const { busy, refusal, run } = useAct();
  return (
    <Dialog title={say(`people.${what}.title`, { name: person.name })} close={close}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await (what === 'suspend' ? api.suspend(person.id) : api.removePerson(person.id));
            done();
          });
        }}
      >
        <p className={css.soft}>{say(`people.${what}.text`)}</p>
        {refusal && (
          <p className={css.bad} role="alert">
            {explainRefusal(language, refusal)}
          </p>
        )}
        <Choices
          busy={busy}
          danger
          confirm={say(what === 'suspend' ? 'people.suspend' : 'remove')}
          cancel={close}
        />
      </form>
    </Dialog>
  );
}
