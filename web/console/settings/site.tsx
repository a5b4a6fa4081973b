import { languages } from '@aldaba/ui';
import { useState } from 'react';
import { api, type Department, type Site } from '../api.ts';
import { useAct } from '../asked.ts';
import { Choices, Dialog } from '../dialog.tsx';
import { Boxes, Field, Lines, Switch } from '../field.tsx';
import css from '../page.module.css';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';
import { FieldList } from './fields.tsx';
import { Elsewhere, errorAt } from './person.tsx';

const fields = ['id', 'name', 'origins', 'languages', 'departments', 'fields', 'contact'];
const told = {
  'id:conflict': 'sites.id.taken',
  id: 'sites.id.refused',
  origins: 'sites.origins.refused',
} as const;

interface Written {
  readonly site?: Site;
  readonly departments: readonly Department[];
  readonly close: () => void;
  readonly done: () => void;
}

/** A question as the server takes it: labels that are there, and choices where one chooses. */
const written = ({ label: { es, en }, choices, kind, ...rest }: Site['fields'][number]) => ({
  ...rest,
  kind,
  label: { es: es || undefined, en: en || undefined },
  choices: kind === 'choice' ? choices : [],
});

/** A site: who may show the chat, in which languages, and who answers. */
export function SiteForm({ site, departments, close, done }: Written) {
  const { say, language } = useWords();
  const [id, setId] = useState(site?.id ?? '');
  const [name, setName] = useState(site?.name ?? '');
  const [origins, setOrigins] = useState(site?.origins.join('\n') ?? '');
  const [tongues, setTongues] = useState<readonly string[]>(site?.languages ?? ['es', 'en']);
  const [chosen, setChosen] = useState<readonly string[]>(site?.departments ?? []);
  const [asked, setAsked] = useState<Site['fields']>(site?.fields ?? []);
  const [enabled, setEnabled] = useState(site?.enabled ?? true);
  const [text, setText] = useState(site?.contact?.text ?? '');
  const [href, setHref] = useState(site?.contact?.href ?? '');
  const { busy, refusal, run } = useAct();
  const wrong = (field: string) => errorAt(refusal, field, (one) => explainRefusal(language, one, told));

  const send = () =>
    run(async () => {
      const draft = {
        name: name.trim(),
        origins: origins.split(/\s+/).filter(Boolean),
        languages: tongues,
        departments: chosen,
        fields: asked.map(written),
        enabled,
        contact: { text: text.trim() || undefined, href: href.trim() || undefined },
      };
      if (site) await api.changeSite(site.id, draft);
      else await api.addSite(id.trim(), draft);
      done();
    });

  return (
    <Dialog title={site ? say('sites.edit.title', { name: site.name }) : say('sites.add')} wide close={close}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className={css.pair}>
          <Field
            label={say('sites.name')}
            required
            focused
            maxLength={80}
            value={name}
            error={wrong('name')}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          {!site && (
            <Field
              label={say('sites.id')}
              hint={say('sites.id.hint')}
              required
              pattern="[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
              autoCapitalize="none"
              spellCheck={false}
              value={id}
              error={wrong('id')}
              onChange={({ currentTarget }) => setId(currentTarget.value)}
            />
          )}
        </div>
        <Lines
          label={say('sites.origins')}
          hint={say('sites.origins.hint')}
          placeholder="https://www.example.com"
          spellCheck={false}
          required
          value={origins}
          error={wrong('origins')}
          onChange={({ currentTarget }) => setOrigins(currentTarget.value)}
        />
        <div className={css.pair}>
          <Boxes
            legend={say('sites.languages')}
            choices={languages}
            chosen={tongues}
            choose={setTongues}
            error={wrong('languages')}
          />
          <Boxes
            legend={say('settings.departments')}
            choices={departments.map(({ id: own, name: called, mode }) => [own, called, say(`mode.${mode}`)])}
            chosen={chosen}
            choose={setChosen}
            error={wrong('departments')}
          />
        </div>
        <FieldList fields={asked} change={setAsked} error={wrong('fields')} />
        <div className={css.pair}>
          <Field
            label={say('sites.contact')}
            hint={say('sites.contact.hint')}
            maxLength={200}
            value={text}
            error={wrong('contact')}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          <Field
            label={say('sites.contact.href')}
            placeholder="tel:+34900123456"
            spellCheck={false}
            value={href}
            onChange={({ currentTarget }) => setHref(currentTarget.value)}
          />
        </div>
        <Switch
          label={say('sites.enabled')}
          hint={say('sites.enabled.hint')}
          on={enabled}
          turn={setEnabled}
        />
        <Elsewhere refusal={refusal} fields={fields} />
        <Choices busy={busy} confirm={say(site ? 'save' : 'sites.add')} cancel={close} />
      </form>
    </Dialog>
  );
}
