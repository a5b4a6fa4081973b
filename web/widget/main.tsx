import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import './visitor.css';
import { checkHealth, chooseLanguage, type Health, type Language, languages, translate } from '@aldaba/ui';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** The visitor's page. */
function Visitor() {
  const [language, setLanguage] = useState<Language>(() => chooseLanguage(navigator.languages));
  const [health, setHealth] = useState<Health>({ state: 'loading' });

  const check = () => {
    setHealth({ state: 'loading' });
    void checkHealth(fetch).then(setHealth);
  };
  useEffect(check, []);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'visitor.title')}`;
  }, [language]);

  return (
    <main class="visitor">
      <header>
        <h1>Aldaba</h1>
        <fieldset class="languages" aria-label={translate(language, 'language')}>
          {languages.map(([tag, name]) => (
            <button
              key={tag}
              type="button"
              class="button"
              lang={tag}
              aria-pressed={tag === language}
              onClick={() => setLanguage(tag)}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </header>
      <section>
        <h2>{translate(language, 'visitor.empty.title')}</h2>
        <p>{translate(language, 'visitor.empty.text')}</p>
      </section>
      <footer>
        <div class="status" role="status" data-state={health.state}>
          {translate(
            language,
            `status.${health.state}`,
            health.state === 'ready' ? { version: health.version } : {},
          )}
        </div>
        {health.state === 'unreachable' && (
          <button type="button" class="button" onClick={check}>
            {translate(language, 'status.retry')}
          </button>
        )}
      </footer>
    </main>
  );
}

const place = document.getElementById('app');
if (place) render(<Visitor />, place);
