import { type icons, type Language, translate } from '@aldaba/ui';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect } from 'preact/hooks';
import type { Host } from './frame-port.ts';
import { Icon } from './parts.tsx';

interface Framed {
  readonly language: Language;
  readonly host: Host;
  /** Of the site, or of who answers. */
  readonly name: string;
  /** Under the name. */
  readonly status?: ComponentChildren;
  /** Whether somebody is there. */
  readonly here?: boolean;
  readonly menu: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The first letters of the first and the last word. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0]);
  return letters.join('').toLocaleUpperCase();
}

export function Avatar({ name, here = false }: { name: string; here?: boolean }) {
  return (
    <span class={here ? 'avatar here' : 'avatar'} aria-hidden="true">
      {name ? initials(name) : <Icon name="mark" />}
    </span>
  );
}

/** The header and the foot around whatever the page is about. */
export function Frame({ language, host, name, status, here = false, menu, children }: Framed) {
  const title = translate(language, 'visitor.title');
  useLayoutEffect(() => {
    document.title = name ? `${title} · ${name}` : title;
  }, [title, name]);
  useEffect(() => {
    if (!host.embedded) return;
    const onEscape = (event: KeyboardEvent) => {
      // Who closes a dialog or a menu with it stays in the chat.
      const answers = event.defaultPrevented || document.querySelector('dialog[open]');
      if (event.key === 'Escape' && !answers) host.close();
    };
    document.addEventListener('keydown', onEscape);
    return () => document.removeEventListener('keydown', onEscape);
  }, [host]);
  return (
    <main class={host.embedded ? 'visitor embedded' : 'visitor'}>
      <header>
        <Avatar name={name} here={here} />
        <div class="who">
          <h1 dir="auto">{name || title}</h1>
          {status && (
            <div class="state" role="status">
              {status}
            </div>
          )}
        </div>
        {menu}
        {host.embedded && (
          <button
            type="button"
            class="quiet"
            aria-label={translate(language, 'visitor.hide')}
            onClick={() => host.close()}
          >
            <Icon name="chevron" />
          </button>
        )}
      </header>
      {children}
      <footer>
        <Icon name="lock" />
        {translate(language, 'visitor.foot')}
      </footer>
    </main>
  );
}

/** One thing to say instead of a conversation. */
export function Notice(props: {
  icon: keyof typeof icons;
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
