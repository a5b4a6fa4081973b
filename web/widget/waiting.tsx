import type { ConversationView, VisitorView } from '@aldaba/client';
import { type Language, translate } from '@aldaba/ui';
import { useRef } from 'preact/hooks';
import { Icon } from './parts.tsx';

/** How many come before, or that nobody is there, while nobody answers. */
export function Waiting({ language, place }: { language: Language; place: VisitorView['place'] }) {
  if (!place || place.place === 0) return null;
  const text = !place.open
    ? translate(language, 'place.away')
    : place.place === 1
      ? translate(language, 'place.next')
      : translate(language, 'place.number', { place: new Intl.NumberFormat(language).format(place.place) });
  return (
    <p class="waiting" role="status">
      <Icon name="loading" />
      {text}
    </p>
  );
}

/** Who is writing: seen as long as it lasts, and told once to who listens, until there is something to read. */
export function Writing({ language, view }: { language: Language; view: ConversationView }) {
  const name = view.members.find(({ leaf, mine }) => !mine && view.typing.includes(leaf))?.name;
  const last = view.lines.at(-1)?.seq;
  const told = useRef<{ readonly after: number | undefined; readonly text: string } | undefined>(undefined);
  const text = name ? translate(language, 'writing', { name }) : '';
  if (told.current?.after !== last) told.current = undefined;
  if (text) told.current ??= { after: last, text };
  return (
    <div class="writing">
      {text && (
        <p aria-hidden="true">
          <i />
          <i />
          <i />
          <span>{text}</span>
        </p>
      )}
      <span class="hidden" role="status">
        {told.current?.text}
      </span>
    </div>
  );
}
