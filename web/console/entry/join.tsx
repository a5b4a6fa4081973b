import type { Language } from '@aldaba/ui';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api } from '../api.ts';
import { useAct, useAsked } from '../asked.ts';
import { Copy, PasswordField } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { Skeleton } from '../parts.tsx';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';
import css from './entry.module.css';
import { Gate } from './gate.tsx';
import { Qr } from './qr.tsx';
import { RecoveryCodes } from './recovery.tsx';
import { CodeField } from './signin.tsx';

/** Characters that a password needs at least, as the server has it. */
const shortest = 12;

interface Joining {
  readonly choose: (language: Language) => void;
  /** The one-time link's secret. */
  readonly token: string;
  readonly entered: () => void;
}

/** Somebody's first time: a password, the app for codes, and recovery codes. */
export function Join({ choose, token, entered }: Joining) {
  const { say, language } = useWords();
  const who = useAsked(useCallback(() => api.join(token), [token]));
  const [secret, setSecret] = useState<{ readonly secret: string; readonly uri: string }>();
  const [codes, setCodes] = useState<readonly string[]>();

  if (who.problem && !who.value) {
    const away = ['offline', 'rate_limited', 'unavailable'].includes(who.problem.code);
    return (
      <Gate choose={choose} title={say(away ? 'failed.page' : 'join.gone.title')}>
        <p className={css.soft} role="alert">
          {away ? explainRefusal(language, who.problem) : say('join.gone.text')}
        </p>
        {away && (
          <button type="button" className="button primary" onClick={who.again}>
            {say('status.retry')}
          </button>
        )}
      </Gate>
    );
  }
  if (!who.value) {
    return (
      <Gate choose={choose} title={say('join.title')}>
        <Skeleton language={language} />
      </Gate>
    );
  }
  const { login, name, organisation } = who.value;
  const step = codes ? 3 : secret ? 2 : 1;
  const titles = { 1: 'join.password.title', 2: 'join.app.title', 3: 'recovery.title' } as const;
  return (
    <Gate choose={choose} title={say(titles[step])}>
      <p className={css.progress}>{say('join.step', { step: String(step), steps: '3' })}</p>
      <Heading key={step} />
      {step === 1 && (
        <>
          <p className={css.soft}>
            {say('join.hello', { name, login, organisation: organisation || 'Aldaba' })}
          </p>
          <Password login={login} token={token} next={setSecret} />
        </>
      )}
      {secret && !codes && <App token={token} {...secret} next={setCodes} />}
      {codes && <RecoveryCodes codes={codes} done={entered} />}
    </Gate>
  );
}

/** Takes whoever goes on to the next step to its heading. */
function Heading() {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) document.querySelector('h1')?.focus();
    first.current = false;
  }, []);
  return null;
}

function Password(own: {
  login: string;
  token: string;
  next: (secret: { secret: string; uri: string }) => void;
}) {
  const { say, language } = useWords();
  const [password, setPassword] = useState('');
  const { busy, refusal, run, clear } = useAct();
  const long = [...password.normalize('NFC')].length >= shortest;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => own.next(await api.joinPassword(own.token, password)));
      }}
    >
      <input type="hidden" name="username" autoComplete="username" value={own.login} />
      <PasswordField
        label={say('sign.password')}
        name="password"
        autoComplete="new-password"
        required
        value={password}
        error={refusal && explainRefusal(language, refusal)}
        onChange={({ currentTarget }) => {
          setPassword(currentTarget.value);
          clear();
        }}
      />
      <ul className={css.rules} aria-label={say('password.rules')}>
        <li data-met={long}>{say('password.long', { least: String(shortest) })}</li>
        <li>{say('password.known')}</li>
        <li>{say('password.any')}</li>
      </ul>
      <button type="submit" className={`button primary ${css.wide}`} aria-disabled={busy || !long}>
        {say(busy ? 'working' : 'sign.next')}
      </button>
    </form>
  );
}

function App(own: { token: string; secret: string; uri: string; next: (codes: readonly string[]) => void }) {
  const { say, language } = useWords();
  const [code, setCode] = useState('');
  const { busy, refusal, run } = useAct();
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => own.next((await api.joinCode(own.token, code.replaceAll(/\s/g, ''))).recovery));
      }}
    >
      <p className={css.soft}>{say('join.app.text')}</p>
      <Qr text={own.uri} label={say('join.app.qr')} className={css.qr} />
      <div className={css.secret}>
        <p className={css.small}>{say('join.app.typed')}</p>
        <code>{(own.secret.match(/.{1,4}/g) ?? []).join(' ')}</code>
        <Copy text={own.secret} name={say('join.app.key')} />
      </div>
      <CodeField
        code={code}
        setCode={setCode}
        hint={say('join.app.hint')}
        error={refusal && explainRefusal(language, refusal)}
      />
      <button type="submit" className={`button primary ${css.wide}`} aria-disabled={busy}>
        {say(busy ? 'working' : 'join.app.button')}
      </button>
    </form>
  );
}

/** The address lacks the part that only the link has. */
export function NoInvitation({ choose }: { choose: (language: Language) => void }) {
  const { say } = useWords();
  return (
    <Gate choose={choose} title={say('join.none.title')}>
      <p className={css.notice}>
        <Icon name="unreachable" />
        {say('join.none.text')}
      </p>
    </Gate>
  );
}
