import type { Language } from '@aldaba/ui';
import { useId, useRef, useState } from 'react';
import css from './account.module.css';
import { api, type Me, type Presence } from './api.ts';
import { useAct } from './asked.ts';
import { Avatar } from './avatar.tsx';
import { Field, Switch } from './field.tsx';
import { Icon } from './icon.tsx';
import { Languages, ServerHealth } from './parts.tsx';
import { setPrefs, usePrefs } from './prefs.ts';
import { explainRefusal } from './refusal.ts';
import { type Secret, SecretDialog } from './secrets.tsx';
import { useWords } from './words.tsx';

const states = ['online', 'away', 'invisible'] as const;
/** Fewer recovery codes than this are worth a word. */
const few = 3;
const themes = ['system', 'light', 'dark'] as const;

interface Owned {
  readonly me: Me;
  readonly choose: (language: Language) => void;
  /** Something of mine has changed: ask again. */
  readonly changed: () => void;
  /** Signed out. */
  readonly left: () => void;
}

/** Who I am, and what I set for myself: a button at the foot of the rail. */
export function Account({ me, choose, changed, left }: Owned) {
  const { say, count, language } = useWords();
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const { refusal, run } = useAct();
  const [secret, setSecret] = useState<Secret>();
  const state = me.presence?.state;
  const spare = me.recoveryLeft;
  const show = (wanted: Secret) => {
    menu.current?.hidePopover();
    setSecret(wanted);
  };
  return (
    <div className={css.account}>
      <button type="button" className={css.self} popoverTarget={id} aria-expanded={open}>
        <Avatar name={me.name} />
        <span className="hidden">
          {say('account.button', { name: me.name, state: state ? say(`duty.${state}`) : '' })}
        </span>
        {state && <i className={css.dot} data-state={state} />}
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        className={css.menu}
        role="dialog"
        aria-label={say('account')}
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        <div className={css.who}>
          <strong>{me.name}</strong>
          <span>{[say(`staff.${me.role}`), me.title].filter(Boolean).join(' · ')}</span>
        </div>
        {me.presence && <PresenceSwitch presence={me.presence} changed={changed} />}
        <Settings />
        <div className={css.part}>
          <Languages language={language} choose={choose} />
        </div>
        <div className={css.part}>
          <button type="button" className={css.entry} onClick={() => show('password')}>
            <Icon name="key" />
            {say('account.password')}
          </button>
          {spare !== undefined && (
            <button type="button" className={css.entry} onClick={() => show('recovery')}>
              <Icon name={spare < few ? 'unreachable' : 'shield'} />
              <span>
                {say('account.recovery')}
                <small>{count('account.left', spare)}</small>
              </span>
            </button>
          )}
          <button
            type="button"
            className={css.entry}
            onClick={() =>
              run(async () => {
                await api.signOut();
                left();
              })
            }
          >
            <Icon name="leave" />
            {say('account.leave')}
          </button>
          {refusal && (
            <p className={css.bad} role="alert">
              {explainRefusal(language, refusal)}
            </p>
          )}
        </div>
        <div className={css.part}>
          <ServerHealth language={language} />
        </div>
      </div>
      {secret && <SecretDialog what={secret} changed={changed} close={() => setSecret(undefined)} />}
    </div>
  );
}

/** What this browser keeps: sound, single keys, light or dark. */
function Settings() {
  const { say } = useWords();
  const prefs = usePrefs();
  return (
    <div className={css.part}>
      <Switch label={say('prefs.sound')} on={prefs.sound} turn={(sound) => setPrefs({ sound })} />
      <Switch
        label={say('prefs.keys')}
        hint={say('prefs.keys.hint')}
        on={prefs.keys}
        turn={(keys) => setPrefs({ keys })}
      />
      <fieldset className={css.segments} aria-label={say('prefs.theme')}>
        {themes.map((theme) => (
          <button
            key={theme}
            type="button"
            aria-pressed={prefs.theme === theme}
            onClick={() => setPrefs({ theme })}
          >
            {say(`prefs.theme.${theme}`)}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

function PresenceSwitch({ presence, changed }: { presence: Presence; changed: () => void }) {
  const { say, language } = useWords();
  const { refusal, run } = useAct();
  const [reason, setReason] = useState(presence.reason ?? '');
  const put = (wanted: Presence) =>
    run(async () => {
      await api.presence(wanted);
      changed();
    });
  return (
    <fieldset className={css.part}>
      <legend className="hidden">{say('duty')}</legend>
      {states.map((state) => (
        <label key={state} className={css.state}>
          <input
            type="radio"
            name="presence"
            checked={presence.state === state}
            onChange={() => put({ state, reason: undefined })}
          />
          <i className={css.dot} data-state={state} />
          <span>
            {say(`duty.${state}`)}
            <small>{say(`duty.${state}.hint`)}</small>
          </span>
        </label>
      ))}
      {presence.state === 'away' && (
        <form
          className={css.reason}
          onSubmit={(event) => {
            event.preventDefault();
            put({ state: 'away', reason: reason.trim() || undefined });
          }}
        >
          <Field
            label={say('duty.reason')}
            maxLength={80}
            value={reason}
            onChange={({ currentTarget }) => setReason(currentTarget.value)}
          />
          <button type="submit" className="button">
            {say('save')}
          </button>
        </form>
      )}
      {refusal && (
        <p className={css.bad} role="alert">
          {explainRefusal(language, refusal)}
        </p>
      )}
    </fieldset>
  );
}
