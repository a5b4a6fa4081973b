import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import '@aldaba/ui/chat.css';
import './base.css';
import { desk } from '@aldaba/client';
import { connect } from '@aldaba/crypto';
import {
  chooseLanguage,
  chooseTheme,
  invitationIn,
  type Language,
  lacking,
  languages,
  learn,
  trustedAddress,
  withLanguage,
} from '@aldaba/ui';
import { useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import workerAddress from '../crypto/worker.ts?worker&url';
import { App, type Brought, type Found } from './app.tsx';
import { usePrefs } from './prefs.ts';
import { Words } from './words.tsx';

/** Takes what is secret out of the address at once, so that no history, no screen and no copied link keeps it. */
function takeFragment(): Brought {
  const { hash, pathname, search } = location;
  const brought: Brought = {
    invitation: invitationIn(hash) ?? '',
    join: pathname.endsWith('/join') ? hash.slice(1) : '',
    demo: new URLSearchParams(hash.slice(1)).get('demo') ?? '',
  };
  if (brought.invitation || brought.join || brought.demo) history.replaceState(null, '', pathname + search);
  return brought;
}

/** Starts the crypto worker and the desk on it, or says what the browser lacks for that. */
async function begin(): Promise<Found> {
  const lacks = await lacking(globalThis);
  if (lacks.length > 0) return { lacks };
  try {
    const worker = new Worker(trustedAddress(workerAddress, globalThis), { type: 'module' });
    return { desk: desk(connect(worker), location.origin) };
  } catch {
    return { lacks: ['Web Workers'] }; // a policy of the browser or of who runs it forbids them
  }
}

/** The staff's page, in its language and light. */
function Page({ brought }: { brought: Brought }) {
  const [language, setLanguage] = useState(() => chooseLanguage(location.search, navigator.languages));
  const { theme } = usePrefs();
  const choose = (chosen: Language) => {
    setLanguage(chosen);
    history.replaceState(null, '', withLanguage(location.search, chosen));
  };

  useLayoutEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useLayoutEffect(() => {
    const wanted = chooseTheme(location.search) ?? (theme === 'system' ? undefined : theme);
    if (wanted) document.documentElement.dataset.theme = wanted;
    else delete document.documentElement.dataset.theme;
  }, [theme]);

  return (
    <Words language={language}>
      <App choose={choose} begin={begin} brought={brought} />
    </Words>
  );
}

await Promise.all(languages.map(([tag]) => learn(tag)));
const place = document.getElementById('app');
if (place) createRoot(place).render(<Page brought={takeFragment()} />);
