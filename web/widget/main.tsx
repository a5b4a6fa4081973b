import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import '@aldaba/ui/chat.css';
import './visitor.css';
import { type VisitorChat, visitor } from '@aldaba/client';
import { connect } from '@aldaba/crypto';
import {
  chooseLanguage,
  chooseTheme,
  type Language,
  lacking,
  type Need,
  translate,
  trustedAddress,
  withLanguage,
} from '@aldaba/ui';
import { render } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import workerAddress from '../crypto/worker.ts?worker&url';
import { Ground, Visitor } from './visitor.tsx';

type Found = { readonly chat: VisitorChat } | { readonly lacks: readonly Need[] };

/** Starts the crypto worker and the chat on it, or says what the browser lacks for that. */
async function begin(): Promise<Found> {
  const lacks = await lacking(globalThis);
  if (lacks.length > 0) return { lacks };
  try {
    const worker = new Worker(trustedAddress(workerAddress, globalThis), { type: 'module' });
    return { chat: visitor(connect(worker), location.origin) };
  } catch {
    return { lacks: ['Web Workers'] }; // a policy of the browser or of who runs it forbids them
  }
}

/** The visitor's page. */
function Page({ begun }: { begun: Promise<Found> }) {
  const [found, setFound] = useState<Found>();
  const [language, setLanguage] = useState(() => chooseLanguage(location.search, navigator.languages));
  const choose = (chosen: Language) => {
    setLanguage(chosen);
    history.replaceState(null, '', withLanguage(location.search, chosen));
  };

  useLayoutEffect(() => {
    void begun.then(setFound);
  }, [begun]);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'visitor.title')}`;
  }, [language]);

  if (found && 'chat' in found) return <Visitor language={language} choose={choose} chat={found.chat} />;
  return <Ground language={language} choose={choose} {...found} />;
}

const theme = chooseTheme(location.search);
if (theme) document.documentElement.dataset.theme = theme;
const place = document.getElementById('app');
if (place) render(<Page begun={begin()} />, place);
