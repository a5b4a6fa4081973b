import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import './agent.css';
import { chooseLanguage, chooseTheme, type Language, translate, withLanguage } from '@aldaba/ui';
import { useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Icon, Languages, ServerHealth } from './parts.tsx';

/** The agent's page. */
function Agent() {
  const [language, setLanguage] = useState(() => chooseLanguage(location.search, navigator.languages));
  const choose = (chosen: Language) => {
    setLanguage(chosen);
    history.replaceState(null, '', withLanguage(location.search, chosen));
  };

  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'agent.title')}`;
  }, [language]);

  return (
    <div className="agent">
      <nav aria-label={translate(language, 'agent.nav')}>
        <Icon name="mark" className="mark" />
        <a href="#inbox" aria-current="page">
          <Icon name="inbox" />
          <span>{translate(language, 'agent.nav.inbox')}</span>
        </a>
      </nav>
      <div className="page">
        <header>
          <p>
            <strong>Aldaba</strong> {translate(language, 'agent.role')}
          </p>
          <Languages language={language} choose={choose} />
        </header>
        <main id="inbox" tabIndex={-1}>
          <h1>{translate(language, 'agent.title')}</h1>
          <section className="empty" aria-labelledby="empty">
            <Icon name="inbox" />
            <h2 id="empty">{translate(language, 'agent.empty.title')}</h2>
            <p>{translate(language, 'agent.empty.text')}</p>
          </section>
        </main>
        <ServerHealth language={language} />
      </div>
    </div>
  );
}

const theme = chooseTheme(location.search);
if (theme) document.documentElement.dataset.theme = theme;
const place = document.getElementById('app');
if (place) createRoot(place).render(<Agent />);
