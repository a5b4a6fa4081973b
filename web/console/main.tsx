import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import './agent.css';
import { checkHealth, chooseLanguage, type Health, type Language, languages, translate } from '@aldaba/ui';
import { useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

/** The agent's page. */
function Agent() {
  const [language, setLanguage] = useState<Language>(() => chooseLanguage(navigator.languages));
  const [health, setHealth] = useState<Health>({ state: 'loading' });

  const check = useCallback(() => {
    setHealth({ state: 'loading' });
    void checkHealth(fetch).then(setHealth);
  }, []);
  useEffect(check, [check]);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'agent.title')}`;
  }, [language]);

  return (
    <div className="agent">
      <header>
        <div>
          <strong>Aldaba</strong>
          <span>{translate(language, 'agent.role')}</span>
        </div>
        <fieldset className="languages" aria-label={translate(language, 'language')}>
          {languages.map(([tag, name]) => (
            <button
              key={tag}
              type="button"
              className="button"
              lang={tag}
              aria-pressed={tag === language}
              onClick={() => setLanguage(tag)}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </header>
      <main>
        <h1>{translate(language, 'agent.title')}</h1>
        <section>
          <h2>{translate(language, 'agent.empty.title')}</h2>
          <p>{translate(language, 'agent.empty.text')}</p>
        </section>
      </main>
      <footer>
        <div className="status" role="status" data-state={health.state}>
          {translate(
            language,
            `status.${health.state}`,
            health.state === 'ready' ? { version: health.version } : {},
          )}
        </div>
        {health.state === 'unreachable' && (
          <button type="button" className="button" onClick={check}>
            {translate(language, 'status.retry')}
          </button>
        )}
      </footer>
    </div>
  );
}

const place = document.getElementById('app');
if (place) createRoot(place).render(<Agent />);
