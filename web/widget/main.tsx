import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import '@aldaba/ui/chat.css';
import './visitor.css';
import { askSite, type SiteView, type VisitorChat, visitor } from '@aldaba/client';
import { connect } from '@aldaba/crypto';
import {
  chooseLanguage,
  chooseTheme,
  keeps,
  type Language,
  lacking,
  learn,
  type Theme,
  trustedAddress,
  withLanguage,
  withTheme,
} from '@aldaba/ui';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import workerAddress from '../crypto/worker.ts?worker&url';
import type { Host } from './frame-port.ts';
import { Ground, type Obstacle } from './ground.tsx';
import { shelf } from './shelf.ts';
import { Visitor } from './visitor.tsx';

/** The site's short name, the last part of the page's own address; empty for the first site. */
const site = /\/[a-z]\/([a-z][a-z0-9-]*)\/?$/.exec(location.pathname)?.[1] ?? '';
const typed = shelf(`aldaba ${site}`, () => sessionStorage);

const first = chooseLanguage(location.search, navigator.languages);

type Found =
  | { readonly chat: VisitorChat; readonly fleeting: boolean }
  | { readonly obstacle: Obstacle; readonly site?: SiteView };

/** Starts the crypto worker and the chat on it; one that is `fleeting` keeps its keys as long as the page. */
function begin(fleeting: boolean): Found {
  try {
    const worker = new Worker(trustedAddress(workerAddress, globalThis), {
      type: 'module',
      name: fleeting ? 'fleeting' : '',
    });
    return { chat: visitor(connect(worker), location.origin, site), fleeting };
  } catch {
    return { obstacle: { lacks: ['Web Workers'] } }; // a policy of the browser or of who runs it forbids them
  }
}

/** The chat, or why there is none yet. */
async function find(goOn: (found: Found) => void): Promise<Found> {
  const lacks = await lacking(globalThis);
  if (lacks.length > 0) return { obstacle: { lacks } };
  if (await keeps(globalThis)) return begin(false);
  // `/c/` is the same chat as a page of its own.
  return { obstacle: { blocked: `/c/${site}${location.search}`, go: () => goOn(begin(true)) } };
}

/** The visitor's page. */
function Page({ host }: { host: Host }) {
  const [found, setFound] = useState<Found>();
  const [language, setLanguage] = useState(first);
  const [theme, setTheme] = useState(() => chooseTheme(location.search));
  const [sound, setSound] = useState(false);
  const settings = {
    language,
    async choose(chosen: Language) {
      await learn(chosen);
      setLanguage(chosen);
      history.replaceState(null, '', withLanguage(location.search, chosen));
    },
    theme,
    paint(chosen: Theme | undefined) {
      setTheme(chosen);
      history.replaceState(null, '', withTheme(location.search, chosen));
    },
    sound,
    ring: setSound,
  };

  useLayoutEffect(() => {
    void find(setFound).then(async (made) => {
      setFound(made);
      if ('chat' in made) return;
      // Without a chat the site still says how else the company is reached.
      const told = await askSite(location.origin, site).catch(() => undefined);
      if (told) setFound((now) => (now === made ? { ...made, site: told } : now));
    });
  }, []);
  useEffect(
    () =>
      host.listen((message) => {
        if (message.t === 'locale') void settings.choose(chooseLanguage(`?lang=${message.locale}`, []));
      }),
    [host],
  );
  useLayoutEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useLayoutEffect(() => {
    const { dataset } = document.documentElement;
    if (theme) dataset.theme = theme;
    else delete dataset.theme;
  }, [theme]);

  if (found && 'chat' in found) {
    return <Visitor settings={settings} host={host} shelf={typed} {...found} />;
  }
  return <Ground settings={settings} host={host} site={found?.site} obstacle={found?.obstacle} />;
}

/** Draws the chat; `host` is the page around it. */
export async function start(host: Host): Promise<void> {
  await learn(first);
  const place = document.getElementById('app');
  if (place) render(<Page host={host} />, place);
}
