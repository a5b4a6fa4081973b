import { type Language, translate } from '@aldaba/ui';
import type { ComponentChildren } from 'preact';
import { Icon, Languages, ServerHealth } from './parts.tsx';

interface Framed {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  readonly title: string;
  /** Under the title. */
  readonly state?: string;
  readonly act?: ComponentChildren;
  /** Whether the page says already that the server is away. */
  readonly offline?: boolean;
  readonly children: ComponentChildren;
}

/** The header and the foot around whatever the page is about. */
export function Frame({ language, choose, title, state, act, offline = false, children }: Framed) {
  return (
    <main class="visitor">
      <header>
        <Icon name="mark" className="mark" />
        <div class="who">
          <h1 dir="auto">{title}</h1>
          {state && <p role="status">{state}</p>}
        </div>
        {act}
      </header>
      {children}
      <footer>
        {!offline && <ServerHealth language={language} />}
        <Languages language={language} choose={choose} />
      </footer>
    </main>
  );
}

/** One thing to say instead of a conversation. */
export function Notice(props: {
  icon: 'chat' | 'unreachable';
  title: string;
  text: string;
  children?: ComponentChildren;
}) {
  return (
    <section class="empty" aria-labelledby="empty">
      <Icon name={props.icon} />
      <h2 id="empty">{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </section>
  );
}

/** The shape of a conversation that is being fetched. */
export function Skeleton({ language }: { language: Language }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{translate(language, 'log.loading')}</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
