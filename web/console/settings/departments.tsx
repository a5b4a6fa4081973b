import { useState } from 'react';
import { api, type Department } from '../api.ts';
import { useAct, useAsked } from '../asked.ts';
import { Choices, Dialog } from '../dialog.tsx';
import { Field } from '../field.tsx';
import { Cards, Failed, Notice, Stale } from '../notice.tsx';
import css from '../page.module.css';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';

/** Who answers what, who may read it, and how many chats each takes at once. */
export function Departments() {
  const { say, count } = useWords();
  const { value, problem, again } = useAsked(api.departments);
  const [editing, setEditing] = useState<Department>();
  if (!value) return problem ? <Failed problem={problem} again={again} /> : <Cards />;
  return (
    <>
      <Stale problem={problem} again={again} />
      <p className={css.soft}>{say('departments.text')}</p>
      {value.length === 0 && (
        <Notice icon="building" title={say('departments.none')} text={say('departments.none.text')} />
      )}
      {value.map((one) => (
        <section key={one.id} className={css.card} aria-labelledby={`d-${one.id}`}>
          <div className={css.top}>
            <h2 id={`d-${one.id}`}>{one.name}</h2>
            <span className={css.chip} data-good={one.mode === 'sealed'}>
              {say(`mode.${one.mode}`)}
            </span>
            <button type="button" className="button" onClick={() => setEditing(one)}>
              {say('departments.cap.change')}
              <span className="hidden"> {one.name}</span>
            </button>
          </div>
          <p className={css.soft}>{say(`mode.${one.mode}.text`)}</p>
          <dl className={css.facts}>
            <div>
              <dt>{say('departments.people')}</dt>
              <dd>{count('people.count', one.people)}</dd>
            </div>
            <div>
              <dt>{say('departments.waiting')}</dt>
              <dd>{count('supervision.wait', one.waiting)}</dd>
            </div>
            <div>
              <dt>{say('departments.cap')}</dt>
              <dd>{count('departments.each', one.cap)}</dd>
            </div>
          </dl>
        </section>
      ))}
      {editing && (
        <Cap
          department={editing}
          close={() => setEditing(undefined)}
          done={() => {
            setEditing(undefined);
            again();
          }}
        />
      )}
    </>
  );
}

function Cap({ department, close, done }: { department: Department; close: () => void; done: () => void }) {
  const { say, language } = useWords();
  const [cap, setCap] = useState(String(department.cap));
  const { busy, refusal, run } = useAct();
  return (
    <Dialog title={department.name} close={close}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await api.changeDepartment(department.id, Number(cap));
            done();
          });
        }}
      >
        <Field
          label={say('departments.cap')}
          hint={say('departments.cap.hint')}
          type="number"
          inputMode="numeric"
          min={1}
          max={50}
          required
          focused
          value={cap}
          error={refusal && explainRefusal(language, refusal)}
          onChange={({ currentTarget }) => setCap(currentTarget.value)}
        />
        <Choices busy={busy} confirm={say('save')} cancel={close} />
      </form>
    </Dialog>
  );
}
