import type { ConversationView } from '@aldaba/client';
import { capitalise, introduce, type Language, listPeople, translate, translateCount } from '@aldaba/ui';
import type { RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Avatar } from './frame.tsx';
import { Icon } from './parts.tsx';

type Person = ConversationView['members'][number];

/** Keys that the operator of the server holds (SPEC, custody). */
const operator = 2;

/** Who vouches for the name that a person answers under. */
const proofOf = ({ custody }: Person) => (custody === operator ? 'vouched' : 'verified');

/** What the certificate of who answers proves, in a word that opens its card. */
export function Badge({ language, agent, open }: { language: Language; agent: Person; open: () => void }) {
  const proof = proofOf(agent);
  return (
    <button type="button" class={`badge ${proof}`} aria-haspopup="dialog" onClick={open}>
      <Icon name="shield" />
      {translate(language, `card.${proof}`)}
    </button>
  );
}

/** Who can read, in one line. */
export function Readers({
  language,
  view,
  open,
}: {
  language: Language;
  view: ConversationView;
  open: () => void;
}) {
  return (
    <button type="button" class="readers" aria-haspopup="dialog" onClick={open}>
      <Icon name="lock" />
      <span>
        {translateCount(language, 'readers', view.members.length)} {listPeople(language, view.members)}
      </span>
      <b>{translate(language, 'safety.compare')}</b>
    </button>
  );
}

function Safety({ language, safety }: { language: Language; safety: string }) {
  const [said, setSaid] = useState<'safety.copied' | 'safety.uncopied'>();
  const copy = () =>
    navigator.clipboard.writeText(safety).then(
      () => setSaid('safety.copied'),
      () => setSaid('safety.uncopied'),
    );
  return (
    <section>
      <h3>{translate(language, 'safety.title')}</h3>
      <p>{translate(language, 'safety.text')}</p>
      <p class="digits">
        {(safety.match(/\d{5}/g) ?? []).map((group, at) => (
          <span key={at}>{group} </span>
        ))}
      </p>
      <div class="copy">
        <button type="button" class="button" onClick={copy}>
          {translate(language, 'safety.copy')}
        </button>
        <span role="status">{said && translate(language, said)}</span>
      </div>
    </section>
  );
}

interface Carded {
  readonly language: Language;
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly site: string;
  readonly agent: Person | undefined;
  readonly view: ConversationView;
}

/** The card of who answers, who else reads, and the number that proves it. */
export function Card({ language, dialog, site, agent, view }: Carded) {
  const id = useId();
  const names = { name: agent?.name ?? '', site: site || translate(language, 'card.company') };
  return (
    <dialog ref={dialog} class="card" aria-labelledby={id}>
      {agent ? (
        <section class="agent">
          <Avatar name={agent.name} />
          <div>
            <h2 id={id} dir="auto">
              {agent.name}
            </h2>
            {agent.title && <p dir="auto">{agent.title}</p>}
          </div>
          <p class={`proof ${proofOf(agent)}`}>
            <b>
              <Icon name="shield" />
              {translate(language, `card.${proofOf(agent)}`)}
            </b>{' '}
            {translate(language, `card.${proofOf(agent)}.text`, names)}
          </p>
        </section>
      ) : (
        <section>
          <h2 id={id}>{translate(language, 'card.waiting')}</h2>
          <p>{translate(language, 'card.waiting.text')}</p>
        </section>
      )}
      <section>
        <h3>{translate(language, 'card.readers')}</h3>
        <ul>
          {view.members.map((person) => (
            <li key={person.leaf} dir="auto">
              {capitalise(language, introduce(language, person))}
            </li>
          ))}
        </ul>
      </section>
      <Safety language={language} safety={view.safety} />
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        {translate(language, 'close')}
      </button>
    </dialog>
  );
}

/** What this company never asks for: said before anybody can ask. */
export function Advice({ language }: { language: Language }) {
  return (
    <p class="advice" role="note">
      <Icon name="shield" />
      <span>{translate(language, 'advice')}</span>
    </p>
  );
}
