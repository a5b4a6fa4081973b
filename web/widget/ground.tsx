import type { SiteView } from '@aldaba/client';
import { type Language, type Need, translate } from '@aldaba/ui';
import { Contact } from './contact.tsx';
import { Frame, Notice, Skeleton } from './frame.tsx';
import type { Host } from './frame-port.ts';
import { Menu, type Settings } from './menu.tsx';

/** Why there is no chat yet: the browser lacks something, or it may keep nothing here. */
export type Obstacle =
  | { readonly lacks: readonly Need[] }
  /** The address of the chat's own window, and the way to go on without keeping anything. */
  | { readonly blocked: string; readonly go: () => void };

interface Grounded {
  readonly settings: Settings;
  readonly host: Host;
  readonly site: SiteView | undefined;
  /** Missing while that is being found out. */
  readonly obstacle: Obstacle | undefined;
}

function Told({ language, obstacle, site }: { language: Language } & Pick<Grounded, 'obstacle' | 'site'>) {
  if (!obstacle) return <Skeleton language={language} />;
  if ('blocked' in obstacle) {
    return (
      <Notice
        icon="key"
        title={translate(language, 'blocked.title')}
        text={translate(language, 'blocked.text')}
      >
        <a class="button primary" href={obstacle.blocked} target="_blank" rel="noopener">
          {translate(language, 'blocked.window')}
        </a>
        <button type="button" class="button" onClick={obstacle.go}>
          {translate(language, 'blocked.here')}
        </button>
      </Notice>
    );
  }
  const what = new Intl.ListFormat(language).format(
    obstacle.lacks.map((need) => (need === 'https' ? translate(language, 'unsupported.https') : need)),
  );
  return (
    <Notice
      icon="unreachable"
      title={translate(language, 'unsupported.title')}
      text={translate(language, 'unsupported.text', { what })}
    >
      {site && <Contact language={language} contact={site.contact} />}
    </Notice>
  );
}

/** In place of the chat, where it cannot begin; nothing yet while that is being found out. */
export function Ground({ settings, host, site, obstacle }: Grounded) {
  const { language } = settings;
  return (
    <Frame language={language} host={host} name={site?.name ?? ''} menu={<Menu settings={settings} />}>
      <Told language={language} obstacle={obstacle} site={site} />
    </Frame>
  );
}
