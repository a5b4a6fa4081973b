import { useState } from 'react';
import css from './account.module.css';
import { api } from './api.ts';
import { useAct } from './asked.ts';
import { Choices, Dialog } from './dialog.tsx';
import { RecoveryCodes } from './entry/recovery.tsx';
import { CodeField } from './entry/signin.tsx';
import { PasswordField } from './field.tsx';
import { explainRefusal } from './refusal.ts';
import { useWords } from './words.tsx';

/** What is changed in a dialog of its own. */
export type Secret = 'password' | 'recovery';

/** The password or the recovery codes, changed. */
export function SecretDialog({
  what,
  changed,
  close,
}: {
  what: Secret;
  changed: () => void;
  close: () => void;
}) {
  const { say } = useWords();
  const done = () => {
    close();
    changed();
  };
  return (
    <Dialog title={say(`account.${what}`)} close={close}>
      {what === 'password' ? <Password close={close} /> : <Recovery close={close} done={done} />}
    </Dialog>
  );
}

function Password({ close }: { close: () => void }) {
  const { say, language } = useWords();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const { busy, refusal, run } = useAct();
  const isOld = refusal?.field === 'old';
  const told = refusal && explainRefusal(language, refusal, { 'old:wrong_password': 'account.old.refused' });
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          await api.password(old, fresh);
          close();
        });
      }}
    >
      <p>{say('account.password.text')}</p>
      <PasswordField
        label={say('account.old')}
        autoComplete="current-password"
        required
        value={old}
        error={isOld ? told : undefined}
        onChange={({ currentTarget }) => setOld(currentTarget.value)}
      />
      <PasswordField
        label={say('account.new')}
        hint={say('password.known')}
        autoComplete="new-password"
        required
        value={fresh}
        error={isOld ? undefined : told}
        onChange={({ currentTarget }) => setFresh(currentTarget.value)}
      />
      <Choices busy={busy} confirm={say('save')} cancel={close} />
    </form>
  );
}

function Recovery({ close, done }: { close: () => void; done: () => void }) {
  const { say, language } = useWords();
  const [code, setCode] = useState('');
  const [codes, setCodes] = useState<readonly string[]>();
  const { busy, refusal, run } = useAct();
  if (codes) return <RecoveryCodes codes={codes} done={done} />;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => setCodes((await api.recovery(code.replaceAll(/\s/g, ''))).codes));
      }}
    >
      <p>{say('account.recovery.text')}</p>
      <CodeField code={code} setCode={setCode} error={refusal && explainRefusal(language, refusal)} />
      <Choices busy={busy} confirm={say('account.recovery.button')} cancel={close} />
    </form>
  );
}
