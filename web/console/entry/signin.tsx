import type { Language } from '@aldaba/ui';
import { useState } from 'react';
import { api } from '../api.ts';
import { useAct } from '../asked.ts';
import { Field, PasswordField } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';
import css from './entry.module.css';
import { Gate } from './gate.tsx';

interface Entering {
  readonly choose: (language: Language) => void;
  /** Why this page is here although somebody expected another one. */
  readonly why: 'sign.ended' | 'sign.spent' | undefined;
  readonly entered: () => void;
}

/** Login and password first, then a code: six digits or one for recovery. */
export function SignIn({ choose, why, entered }: Entering) {
  const { say, language } = useWords();
  const [step, setStep] = useState<'password' | 'code' | 'enrol-code'>('password');
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const { busy, refusal, run, clear } = useAct();

  const proceed = (next: 'code' | 'enrol-code' | 'done') => {
    setPassword('');
    if (next === 'done') entered();
    else setStep(next);
  };
  const send = () =>
    run(async () => {
      if (step === 'password') proceed((await api.signIn(login.trim(), password)).step);
      else proceed((await api.code(code.replaceAll(/\s/g, ''))).step);
    });
  const restart = () => {
    clear();
    setCode('');
    setStep('password');
  };

  if (step === 'enrol-code') {
    return (
      <Gate choose={choose} title={say('sign.enrol.title')}>
        <p className={css.soft}>{say('sign.enrol.text')}</p>
        <button type="button" className="button" onClick={restart}>
          {say('sign.back')}
        </button>
      </Gate>
    );
  }
  const wrong = refusal && explainRefusal(language, refusal);
  return (
    <Gate choose={choose} title={say(step === 'password' ? 'sign.title' : 'sign.code.title')}>
      {why && step === 'password' && !wrong && (
        <p className={css.notice} role="status">
          <Icon name="loading" />
          {say(why)}
        </p>
      )}
      <form
        key={step}
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {step === 'password' ? (
          <Credentials {...{ login, setLogin, password, setPassword }} wrong={wrong} />
        ) : (
          <>
            <p className={css.soft}>{say('sign.code.text')}</p>
            <CodeField code={code} setCode={setCode} error={wrong} hint={say('sign.code.hint')} />
          </>
        )}
        <button type="submit" className={`button primary ${css.wide}`} aria-disabled={busy}>
          {say(busy ? 'working' : step === 'password' ? 'sign.next' : 'sign.button')}
        </button>
        {step === 'code' && (
          <button type="button" className={`button ${css.wide}`} onClick={restart}>
            {say('sign.back')}
          </button>
        )}
      </form>
      {step === 'password' && <p className={css.small}>{say('sign.help')}</p>}
    </Gate>
  );
}

function Credentials(own: {
  login: string;
  setLogin: (login: string) => void;
  password: string;
  setPassword: (password: string) => void;
  wrong: string | undefined;
}) {
  const { say } = useWords();
  return (
    <>
      <Field
        label={say('sign.login')}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={own.login}
        onChange={({ currentTarget }) => own.setLogin(currentTarget.value)}
      />
      <PasswordField
        label={say('sign.password')}
        name="password"
        autoComplete="current-password"
        required
        value={own.password}
        error={own.wrong}
        onChange={({ currentTarget }) => own.setPassword(currentTarget.value)}
      />
    </>
  );
}

/** The one field for a code; the page came with it, so it has the focus. */
export function CodeField(own: {
  code: string;
  setCode: (code: string) => void;
  error: string | undefined;
  hint?: string;
}) {
  const { say } = useWords();
  return (
    <Field
      focused
      label={say('sign.code.field')}
      hint={own.hint}
      name="one-time-code"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      required
      value={own.code}
      error={own.error}
      onChange={({ currentTarget }) => own.setCode(currentTarget.value)}
    />
  );
}
