import type { Field, Question, SiteView } from '@aldaba/client';
import { faultOf, type Key, type Language, translate } from '@aldaba/ui';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './parts.tsx';

/** What a visitor has told: the answers by field, and the department. */
export interface Told {
  readonly answers: Readonly<Record<string, string>>;
  readonly department?: string | undefined;
}

/** One question with its label in a language. The department's has no name: no field is called so. */
interface Asked extends Omit<Question, 'label'> {
  readonly label: string;
  /** What is said under a choice. */
  readonly hints?: Readonly<Record<string, string>>;
}

/** The site's questions, with the department first where there are several. */
function questions(language: Language, { fields, departments }: SiteView): readonly Asked[] {
  const asked = fields.map((field) => ({
    ...field,
    label: field.label[language] ?? Object.values(field.label)[0] ?? field.name,
  }));
  if (departments.length < 2) return asked;
  const department: Asked = {
    name: '',
    kind: 'choice',
    required: true,
    label: translate(language, 'before.department'),
    choices: departments.map(({ name }) => name),
    hints: Object.fromEntries(
      departments.map(({ name, mode }) => [name, translate(language, `before.${mode}`)]),
    ),
  };
  return [department, ...asked];
}

const answerOf = (site: SiteView, { answers, department }: Told, name: string): string | undefined =>
  name === '' ? site.departments.find(({ id }) => id === department)?.name : answers[name];

/** Whether everything that the site asks has been answered or passed over. */
export const isComplete = (site: SiteView, told: Told): boolean =>
  questions('en', site).every(({ name }) => answerOf(site, told, name) !== undefined);

/** The kinds of a form's fields (SPEC, form). */
const kinds = { text: 1, mail: 2, phone: 3, choice: 4 } as const;
const pageKind = 5;

/** What was answered, and the page that it is about, as they are sealed with the first message. */
export function formOf(site: SiteView, { answers }: Told, page: string | undefined): readonly Field[] {
  const given = site.fields.map(({ name, kind }) => ({
    name,
    kind: kinds[kind],
    value: answers[name] ?? '',
  }));
  const about = page ? [{ name: 'page', kind: pageKind, value: page }] : [];
  return [...given, ...about].filter(({ value }) => value !== '');
}

const inputs = {
  text: { type: 'text', autocomplete: 'on', inputMode: 'text' },
  mail: { type: 'email', autocomplete: 'email', inputMode: 'email' },
  phone: { type: 'tel', autocomplete: 'tel', inputMode: 'tel' },
} as const;

interface Asking {
  readonly language: Language;
  readonly question: Asked;
  readonly first: string;
  readonly moved: boolean;
  readonly answer: (text: string) => void;
}

/** One question: what is wrong with an answer is said beside it when the visitor goes on. */
function Ask({ language, question, first, moved, answer }: Asking) {
  const [text, setText] = useState(first);
  const [fault, setFault] = useState<Key>();
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const { kind, label, required, choices, hints } = question;

  const focus = () => form.current?.querySelector<HTMLElement>('input')?.focus();
  useLayoutEffect(() => {
    if (!moved) return;
    focus(); // whoever has just answered goes on here
    form.current?.scrollIntoView({ block: 'nearest' });
  }, [moved]);

  const go = () => {
    const wrong = faultOf(question, text);
    setFault(wrong);
    if (wrong) focus();
    else answer(text.trim());
  };
  const change = (next: string) => {
    setText(next);
    setFault(undefined);
  };
  const marks = { 'aria-invalid': fault !== undefined, 'aria-describedby': `${id}-fault` };
  const named = (
    <>
      {label} {!required && <small>{translate(language, 'field.optional')}</small>}
    </>
  );
  return (
    <form
      ref={form}
      noValidate
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      {kind === 'choice' ? (
        <fieldset aria-describedby={`${id}-fault`}>
          <legend>{named}</legend>
          {choices.map((choice) => (
            <label key={choice} class="choice">
              <input
                type="radio"
                name={id}
                checked={choice === text}
                {...marks}
                onChange={() => change(choice)}
              />
              <span dir="auto">
                {choice}
                {hints?.[choice] && <small>{hints[choice]}</small>}
              </span>
            </label>
          ))}
        </fieldset>
      ) : (
        <label>
          {named}
          <input
            {...inputs[kind]}
            {...marks}
            dir="auto"
            required={required}
            value={text}
            onInput={({ currentTarget }) => change(currentTarget.value)}
          />
        </label>
      )}
      <p id={`${id}-fault`} class="fault" role="alert">
        {fault && (
          <>
            <Icon name="unreachable" />
            {translate(language, fault, { label })}
          </>
        )}
      </p>
      <div class="choices">
        {!required && (
          <button type="button" class="button" onClick={() => answer('')}>
            {translate(language, 'before.skip')}
          </button>
        )}
        <button type="submit" class="button primary">
          {translate(language, 'before.next')}
        </button>
      </div>
    </form>
  );
}

interface Begun {
  readonly language: Language;
  readonly site: SiteView;
  readonly told: Told;
  readonly tell: (told: Told) => void;
}

/** The questions of the site, one after the other; what was answered stays to be seen and changed. */
export function Before({ language, site, told, tell }: Begun) {
  const [changed, setChanged] = useState<string>();
  const [moved, setMoved] = useState(false);
  const asked = questions(language, site);
  const value = (name: string) => answerOf(site, told, name);
  const current = asked.find(({ name }) => name === changed || value(name) === undefined);
  const done = asked.filter(({ name }) => name !== current?.name && value(name) !== undefined);

  const answer = (name: string) => (text: string) => {
    setChanged(undefined);
    setMoved(true);
    if (name) tell({ ...told, answers: { ...told.answers, [name]: text } });
    else tell({ ...told, department: site.departments.find((one) => one.name === text)?.id });
  };
  return (
    <div class="asked">
      {done.length > 0 && (
        <ul>
          {done.map(({ name, label }) => (
            <li key={name}>
              <span>{label}</span>
              <b dir="auto">{value(name) || '–'}</b>
              <button
                type="button"
                class="link"
                aria-label={translate(language, 'before.change.name', { label })}
                onClick={() => {
                  setMoved(true);
                  setChanged(name);
                }}
              >
                {translate(language, 'before.change')}
              </button>
            </li>
          ))}
        </ul>
      )}
      {current && (
        <Ask
          key={current.name}
          language={language}
          question={current}
          first={value(current.name) ?? ''}
          moved={moved}
          answer={answer(current.name)}
        />
      )}
    </div>
  );
}
