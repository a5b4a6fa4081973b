import { useState } from 'react';
import { api, type Department, type OneTimeLink, type Person, type Refused, type Role } from '../api.ts';
import { useAct } from '../asked.ts';
import { Choices, Dialog } from '../dialog.tsx';
import { Boxes, Choice, Field } from '../field.tsx';
import css from '../page.module.css';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';

const roles = ['agent', 'supervisor', 'administrator'] as const;
const fields = ['login', 'name', 'title', 'role', 'departments', 'cap'];
const told = { login_taken: 'people.login.taken', login: 'people.login.refused' } as const;

interface Written {
  readonly person?: Person;
  readonly departments: readonly Department[];
  readonly close: () => void;
  readonly done: () => void;
  readonly invited?: (name: string, link: OneTimeLink) => void;
}

/** Somebody new, or what is changed of somebody. */
export function PersonForm({ person, departments, close, done, invited }: Written) {
  const { say, language } = useWords();
  const [login, setLogin] = useState(person?.login ?? '');
  const [name, setName] = useState(person?.name ?? '');
  const [title, setTitle] = useState(person?.title ?? '');
  const [role, setRole] = useState<Role>(person?.role ?? 'agent');
  const [chosen, setChosen] = useState<readonly string[]>(person?.departments ?? []);
  const [cap, setCap] = useState(!person?.cap ? '' : String(person.cap));
  const { busy, refusal, run } = useAct();
  const wrong = (field: string) => errorAt(refusal, field, (one) => explainRefusal(language, one, told));

  const send = () =>
    run(async () => {
      const draft = {
        name: name.trim(),
        title: title.trim(),
        role,
        departments: chosen,
        cap: Number(cap), // none is the department's
      };
      if (person) {
        await api.changePerson(person.id, draft);
        return done();
      }
      const { link, expires } = await api.invite({ login: login.trim(), ...draft });
      invited?.(draft.name, { link, expires });
    });

  return (
    <Dialog
      title={person ? say('people.edit.title', { name: person.name }) : say('people.invite.title')}
      wide
      close={close}
    >
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {!person && <p className={css.soft}>{say('people.invite.text')}</p>}
        <div className={css.pair}>
          <Field
            label={say('people.name')}
            hint={say('people.name.hint')}
            required
            focused
            maxLength={80}
            value={name}
            error={wrong('name')}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          {!person && (
            <Field
              label={say('sign.login')}
              hint={say('people.login.hint')}
              required
              autoCapitalize="none"
              autoComplete="off"
              spellCheck={false}
              maxLength={40}
              value={login}
              error={wrong('login')}
              onChange={({ currentTarget }) => setLogin(currentTarget.value)}
            />
          )}
          <Field
            label={say('people.title')}
            hint={say('people.title.hint')}
            maxLength={80}
            value={title}
            error={wrong('title')}
            onChange={({ currentTarget }) => setTitle(currentTarget.value)}
          />
          <Choice
            label={say('people.role')}
            hint={say(`staff.${role}.text`)}
            value={role}
            error={wrong('role')}
            onChange={({ currentTarget }) =>
              setRole(roles.find((one) => one === currentTarget.value) ?? 'agent')
            }
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {say(`staff.${one}`)}
              </option>
            ))}
          </Choice>
          <Field
            label={say('people.cap')}
            hint={say('people.cap.hint')}
            type="number"
            inputMode="numeric"
            min={1}
            max={50}
            value={cap}
            error={wrong('cap')}
            onChange={({ currentTarget }) => setCap(currentTarget.value)}
          />
        </div>
        <Boxes
          legend={say('settings.departments')}
          choices={departments.map(({ id, name: called, mode }) => [id, called, say(`mode.${mode}`)])}
          chosen={chosen}
          choose={setChosen}
          error={wrong('departments')}
        />
        <Elsewhere refusal={refusal} fields={fields} />
        <Choices busy={busy} confirm={say(person ? 'save' : 'people.invite.button')} cancel={close} />
      </form>
    </Dialog>
  );
}

/** The form's field that a refusal is about: of `origins[2]` it is `origins`. */
const partOf = ({ field }: Refused) => /^\w*/.exec(field)?.[0] ?? '';

/** The sentence of a refusal at the field that it names. */
export function errorAt(
  refusal: Refused | undefined,
  field: string,
  explain: (refusal: Refused) => string,
): string | undefined {
  return refusal && partOf(refusal) === field ? explain(refusal) : undefined;
}

/** A refusal that belongs to no field of the form. */
export function Elsewhere({
  refusal,
  fields: own,
}: {
  refusal: Refused | undefined;
  fields: readonly string[];
}) {
  const { language } = useWords();
  if (!refusal || own.includes(partOf(refusal))) return null;
  return (
    <p className={css.bad} role="alert">
      {explainRefusal(language, refusal)}
    </p>
  );
}
