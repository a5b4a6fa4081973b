import type { ConversationView, QueueItem } from '@aldaba/client';
import { dateTime, fieldName } from '@aldaba/ui';
import type { ReactNode } from 'react';
import type { Me } from '../api.ts';
import { VisitorAvatar } from '../avatar.tsx';
import { useWords } from '../words.tsx';
import { shortName } from './list.tsx';
import css from './visitor.module.css';

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={css.pair}>
      <dt>{name}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  );
}

interface Told {
  readonly me: Me;
  readonly view: ConversationView;
  readonly item: QueueItem | undefined;
}

/** What is known of the visitor, and how sure it is. */
export function VisitorPanel({ me, view, item }: Told) {
  const { say, language } = useWords();
  const department = me.departments.find(({ id }) => id === item?.dept);
  const fields = view.lines.flatMap((line) => (line.kind === 'form' ? line.fields : []));
  const began = view.lines[0]?.time;
  return (
    <>
      <div className={css.head}>
        <VisitorAvatar id={view.conv} size="large" />
        <h2>{say('agent.conversation', { id: shortName(view.conv) })}</h2>
        <p>{say('identity.none')}</p>
      </div>
      <section>
        <h3>{say('panel.identity')}</h3>
        <dl>
          <Pair name={say('panel.state')}>{say('identity.none.short')}</Pair>
        </dl>
        <p className={css.note}>{say('identity.none.text')}</p>
      </section>
      <section>
        <h3>{say('panel.conversation')}</h3>
        <dl>
          {department && <Pair name={say('panel.department')}>{department.name}</Pair>}
          {department && <Pair name={say('panel.mode')}>{say(`mode.${department.mode}`)}</Pair>}
          {began !== undefined && <Pair name={say('panel.began')}>{dateTime(language, began)}</Pair>}
          {item && item.agents.length > 0 && (
            <Pair name={say('panel.agents')}>{new Intl.ListFormat(language).format(item.agents)}</Pair>
          )}
        </dl>
      </section>
      {fields.length > 0 && (
        <section>
          <h3>{say('panel.form')}</h3>
          <dl>
            {fields.map((field) => (
              <Pair key={field.name} name={fieldName(language, field)}>
                {field.value}
              </Pair>
            ))}
          </dl>
          <p className={css.note}>{say('panel.form.text')}</p>
        </section>
      )}
      <section>
        <h3>{say('panel.consent')}</h3>
        <p className={css.note}>{say('panel.consent.text')}</p>
      </section>
      {view.safety && (
        <section>
          <h3>{say('safety.title')}</h3>
          <p className={css.digits}>
            {(view.safety.match(/\d{5}/g) ?? []).map((group, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a group has of its own
              <span key={at}>{group} </span>
            ))}
          </p>
          <p className={css.note}>{say('safety.text')}</p>
        </section>
      )}
    </>
  );
}
