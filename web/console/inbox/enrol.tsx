import type { DeskView } from '@aldaba/client';
import { explain, readInvitation } from '@aldaba/ui';
import { useState } from 'react';
import { Field } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { useWords } from '../words.tsx';
import css from './enrol.module.css';

interface Enrolling {
  readonly view: DeskView;
  /** What the address brought. */
  readonly invitation: string;
  readonly enrol: (invitation: string) => void;
}

/** A device without a key: the field for its invitation. */
export function Enrol({ view, invitation, enrol }: Enrolling) {
  const { say, language } = useWords();
  const read = readInvitation(invitation);
  const [typed, setTyped] = useState(read.state === 'right' ? read.text : invitation);
  const [wrong, setWrong] = useState('');
  const error = wrong || (view.problem ? explain(language, view.problem) : '');

  const send = () => {
    const found = readInvitation(typed);
    if (found.state === 'right') {
      setWrong('');
      setTyped(found.text);
      enrol(found.text);
      return;
    }
    setWrong(
      found.state === 'length'
        ? say('enrol.length', { count: String(found.count) })
        : say('enrol.character', { character: found.character }),
    );
  };

  return (
    <form
      className={css.enrol}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h1>{say('enrol.title')}</h1>
      <p>{say('enrol.text')}</p>
      <ul className={css.reasons}>
        <li>{say('enrol.new')}</li>
        <li>{say('enrol.cleared')}</li>
      </ul>
      <Field
        label={say('enrol.field')}
        hint={say('enrol.hint')}
        error={error || undefined}
        value={typed}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={100}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setWrong('');
        }}
      />
      <button type="submit" className="button primary">
        {say('enrol.button')}
      </button>
    </form>
  );
}

/** A device on its way: what is done, what it waits for, and what comes. */
export function Steps({ stage, another }: { stage: 'asked' | 'certified'; another: () => void }) {
  const { say } = useWords();
  const steps = ['asked', 'certified', 'ready'] as const;
  const now = steps.indexOf(stage);
  return (
    <section className={css.enrol} aria-labelledby="steps">
      <h1 id="steps">{say('enrol.title')}</h1>
      <p role="status">{say(`enrol.${stage}.text`)}</p>
      <ol className={css.steps} aria-label={say('enrol.steps')}>
        {steps.map((step, at) => (
          <li key={step} aria-current={at === now ? 'step' : undefined}>
            <Icon name={at < now ? 'ready' : at === now ? 'loading' : 'key'} />
            {say(`enrol.${step}`)}
          </li>
        ))}
      </ol>
      {stage === 'asked' && (
        <button type="button" className="button" onClick={another}>
          {say('enrol.another')}
        </button>
      )}
    </section>
  );
}
