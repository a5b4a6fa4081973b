import { dateTime } from '@aldaba/ui';
import { useState } from 'react';
import { api, type Department, type Site } from '../api.ts';
import { useAct, useAsked } from '../asked.ts';
import { Choices, Dialog } from '../dialog.tsx';
import { Copy } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { Cards, Failed, Notice, Stale } from '../notice.tsx';
import css from '../page.module.css';
import { explainRefusal } from '../refusal.ts';
import { useWords } from '../words.tsx';
import { SiteForm } from './site.tsx';

const both = async () => {
  const [sites, departments] = await Promise.all([api.sites(), api.departments()]);
  return { sites, departments };
};

type Open = { readonly what: 'new' } | { readonly what: 'edit' | 'remove'; readonly site: Site };

/** Where visitors come from, and what each page needs. */
export function Sites() {
  const { say } = useWords();
  const { value, problem, again } = useAsked(both, 30_000);
  const [open, setOpen] = useState<Open>();
  if (!value) return problem ? <Failed problem={problem} again={again} /> : <Cards />;
  const close = () => setOpen(undefined);
  const done = () => {
    close();
    again();
  };
  return (
    <>
      <Stale problem={problem} again={again} />
      <div className={css.top}>
        <h2 className="hidden">{say('settings.sites')}</h2>
        <p className={css.soft}>{say('sites.text')}</p>
        <button type="button" className="button primary" onClick={() => setOpen({ what: 'new' })}>
          <Icon name="plus" />
          {say('sites.add')}
        </button>
      </div>
      {value.sites.length === 0 && (
        <Notice icon="globe" title={say('sites.none')} text={say('sites.none.text')} />
      )}
      {value.sites.map((site) => (
        <Card
          key={site.id}
          site={site}
          departments={value.departments}
          edit={() => setOpen({ what: 'edit', site })}
          remove={() => setOpen({ what: 'remove', site })}
        />
      ))}
      {open?.what === 'new' && <SiteForm departments={value.departments} close={close} done={done} />}
      {open?.what === 'edit' && (
        <SiteForm site={open.site} departments={value.departments} close={close} done={done} />
      )}
      {open?.what === 'remove' && <Remove site={open.site} close={close} done={done} />}
    </>
  );
}

function Card(own: { site: Site; departments: readonly Department[]; edit: () => void; remove: () => void }) {
  const { say, language } = useWords();
  const { site } = own;
  const list = (items: readonly string[]) => new Intl.ListFormat(language).format(items) || '—';
  const named = new Map(own.departments.map(({ id, name }) => [id, name]));
  const tongue = new Intl.DisplayNames(language, { type: 'language' });
  return (
    <section className={css.card} aria-labelledby={`s-${site.id}`}>
      <div className={css.top}>
        <h2 id={`s-${site.id}`}>{site.name}</h2>
        <span className={css.chip} data-good={site.enabled && site.seen !== undefined}>
          {say(site.enabled ? (site.seen ? 'sites.seen' : 'sites.unseen') : 'sites.off')}
        </span>
        <button type="button" className="button" onClick={own.edit}>
          {say('edit')}
          <span className="hidden"> {site.name}</span>
        </button>
        <button type="button" className="button danger" onClick={own.remove}>
          {say('remove')}
          <span className="hidden"> {site.name}</span>
        </button>
      </div>
      <dl className={css.facts}>
        <div>
          <dt>{say('sites.origins')}</dt>
          <dd>{list(site.origins)}</dd>
        </div>
        <div>
          <dt>{say('sites.languages')}</dt>
          <dd>{list(site.languages.map((tag) => tongue.of(tag) ?? tag))}</dd>
        </div>
        <div>
          <dt>{say('settings.departments')}</dt>
          <dd>{list(site.departments.map((id) => named.get(id) ?? id))}</dd>
        </div>
        <div>
          <dt>{say('sites.check')}</dt>
          <dd>
            {site.seen
              ? say('sites.seen.text', { origin: site.seen.origin, time: dateTime(language, site.seen.at) })
              : say('sites.unseen.text')}
          </dd>
        </div>
      </dl>
      <Code name={say('sites.snippet')} text={site.snippet} hint={say('sites.snippet.text')} />
      <Code name={say('sites.csp')} text={site.csp} hint={say('sites.csp.text')} />
      <Code name={say('sites.csp.origin')} text={site.cspByOrigin} hint={say('sites.csp.origin.text')} />
    </section>
  );
}

/** Lines to copy. */
function Code({ name, text, hint }: { name: string; text: string; hint: string }) {
  return (
    <div className={css.code}>
      <header>
        <h3>{name}</h3>
        <Copy text={text} name={name} />
      </header>
      <p className={css.soft}>{hint}</p>
      <section aria-label={name}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre tabIndex={0}>{text}</pre>
      </section>
    </div>
  );
}

function Remove({ site, close, done }: { site: Site; close: () => void; done: () => void }) {
  const { say, language } = useWords();
  const { busy, refusal, run } = useAct();
  return (
    <Dialog title={say('sites.remove.title', { name: site.name })} close={close}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await api.removeSite(site.id);
            done();
          });
        }}
      >
        <p className={css.soft}>{say('sites.remove.text')}</p>
        {refusal && (
          <p className={css.bad} role="alert">
            {explainRefusal(language, refusal)}
          </p>
        )}
        <Choices busy={busy} danger confirm={say('remove')} cancel={close} />
      </form>
    </Dialog>
  );
}
