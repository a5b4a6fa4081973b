import type { DeskView } from '@aldaba/client';
import { explain, type Language, readInvitation, translate } from '@aldaba/ui';
import { useId, useRef, useState } from 'react';
import { Icon } from './parts.tsx';

interface Enrolling {
  readonly language: Language;
  readonly view: DeskView;
  /** What the address brought. */
  readonly invitation: string;
  readonly enrol: (invitation: string) => void;
}

/** A device without a key: the field for its invitation. */
export function Enrol({ language, view, invitation, enrol }: Enrolling) {
  const read = readInvitation(invitation);
  const [typed, setTyped] = useState(read.state === 'right' ? read.text : invitation);
  const [wrong, setWrong] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const error = wrong || (view.problem ? explain(language, view.problem) : '');

  const send = () => {
    const found = readInvitation(typed);
    if (found.state === 'right') {
      setWrong('');
      setTyped(found.text);
      enrol(found.text);
      return;
    }
    field.current?.focus();
    setWrong(
      found.state === 'length'
        ? translate(language, 'enrol.length', { count: String(found.count) })
        : translate(language, 'enrol.character', { character: found.character }),
    );
  };

  return (
    <form
      className="enrol"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h1>{translate(language, 'enrol.title')}</h1>
      <p>{translate(language, 'enrol.text')}</p>
      <label htmlFor={id}>{translate(language, 'enrol.field')}</label>
      <input
        ref={field}
        id={id}
        type="text"
        value={typed}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={100}
        aria-invalid={error !== ''}
        aria-describedby={`${id}-hint ${id}-error`}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setWrong('');
        }}
      />
      <p id={`${id}-hint`} className="hint">
        {translate(language, 'enrol.hint')}
      </p>
      <p id={`${id}-error`} className="error" role="alert">
        {error}
      </p>
      <button type="submit" className="button primary">
        {translate(language, 'enrol.button')}
      </button>
    </form>
  );
}

/** A device on its way: what is done, what it waits for, and what comes. */
export function Steps({
  language,
  stage,
  another,
}: {
  language: Language;
  stage: 'asked' | 'certified';
  another: () => void;
}) {
  const steps = ['asked', 'certified', 'ready'] as const;
  const now = steps.indexOf(stage);
  return (
    <section className="enrol" aria-labelledby="steps">
      <h1 id="steps">{translate(language, 'enrol.title')}</h1>
      <p role="status">{translate(language, `enrol.${stage}.text`)}</p>
      <ol className="steps" aria-label={translate(language, 'enrol.steps')}>
        {steps.map((step, at) => (
          <li key={step} aria-current={at === now ? 'step' : undefined}>
            <Icon name={at < now ? 'ready' : at === now ? 'loading' : 'key'} />
            {translate(language, `enrol.${step}`)}
          </li>
        ))}
      </ol>
      {stage === 'asked' && (
        <button type="button" className="button" onClick={another}>
          {translate(language, 'enrol.another')}
        </button>
      )}
    </section>
  );
}
