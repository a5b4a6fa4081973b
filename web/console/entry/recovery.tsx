import { useState } from 'react';
import { Copy } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { useWords } from '../words.tsx';
import css from './entry.module.css';

interface Kept {
  readonly codes: readonly string[];
  /** When the person says that they are kept. */
  readonly done: () => void;
}

/** The recovery codes, shown this once. */
export function RecoveryCodes({ codes, done }: Kept) {
  const { say } = useWords();
  const [kept, setKept] = useState(false);
  const [missed, setMissed] = useState(false);
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (kept) done();
        else setMissed(true);
      }}
    >
      <p className={css.soft}>{say('recovery.text')}</p>
      <ul className={css.codes} aria-label={say('recovery.title')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={css.row}>
        <Copy text={codes.join('\n')} />
        <button type="button" className="button" onClick={() => print()}>
          {say('recovery.print')}
        </button>
      </div>
      <label className={css.kept}>
        <input type="checkbox" checked={kept} onChange={() => setKept(!kept)} />
        {say('recovery.kept')}
      </label>
      {missed && !kept && (
        <p className={css.notice} role="alert">
          <Icon name="unreachable" />
          {say('recovery.missed')}
        </p>
      )}
      <button type="submit" className={`button primary ${css.wide}`} aria-disabled={!kept}>
        {say('recovery.done')}
      </button>
    </form>
  );
}
