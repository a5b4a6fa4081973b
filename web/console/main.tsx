import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import '@aldaba/ui/chat.css';
import './agent.css';
import { type AgentDesk, desk } from '@aldaba/client';
import { connect } from '@aldaba/crypto';
import {
  chooseLanguage,
  chooseTheme,
  invitationIn,
  type Language,
  lacking,
  languages,
  learn,
  type Need,
  translate,
  trustedAddress,
  withLanguage,
} from '@aldaba/ui';
import { useEffect, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import workerAddress from '../crypto/worker.ts?worker&url';
import { Desk, Ground } from './desk.tsx';

type Found = { readonly desk: AgentDesk } | { readonly lacks: readonly Need[] };

/** Takes the invitation out of the address at once, so that no history, no screen and no copied link keeps it. */
function takeInvitation(): string {
  const invitation = invitationIn(location.hash);
  if (invitation === undefined) return '';
  history.replaceState(null, '', location.pathname + location.search);
  return invitation;
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

/** The agent's page. */
function Page({ begun, invitation }: { begun: Promise<Found>; invitation: string }) {
  const [found, setFound] = useState<Found>();
  const [language, setLanguage] = useState(() => chooseLanguage(location.search, navigator.languages));
  const choose = (chosen: Language) => {
    setLanguage(chosen);
    history.replaceState(null, '', withLanguage(location.search, chosen));
  };

  useEffect(() => {
    void begun.then(setFound);
  }, [begun]);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'agent.title')}`;
  }, [language]);

  if (found && 'desk' in found) {
    return <Desk language={language} choose={choose} desk={found.desk} invitation={invitation} />;
  }
  return <Ground language={language} choose={choose} {...found} />;
}

const theme = chooseTheme(location.search);
if (theme) document.documentElement.dataset.theme = theme;
await Promise.all(languages.map(([tag]) => learn(tag)));
const place = document.getElementById('app');
if (place) createRoot(place).render(<Page begun={begin()} invitation={takeInvitation()} />);
