import '@aldaba/ui/tokens.css';
import '@aldaba/ui/parts.css';
import './visitor.css';
import { chooseLanguage, chooseTheme, type Language, translate, withLanguage } from '@aldaba/ui';
import { render } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { Icon, Languages, ServerHealth } from './parts.tsx';

/** The visitor's page. */
function Visitor() {
  const [language, setLanguage] = useState(() => chooseLanguage(location.search, navigator.languages));
  const choose = (chosen: Language) => {
    setLanguage(chosen);
    history.replaceState(null, '', withLanguage(location.search, chosen));
  };

  useLayoutEffect(() => {
    document.documentElement.lang = language;
    document.title = `Aldaba · ${translate(language, 'visitor.title')}`;
  }, [language]);

  return (
    <main class="visitor">
      <header>
        <Icon name="mark" className="mark" />
        <h1>Aldaba</h1>
        <Languages language={language} choose={choose} />
      </header>
      <section class="empty" aria-labelledby="empty">
        <Icon name="chat" />
        <h2 id="empty">{translate(language, 'visitor.empty.title')}</h2>
        <p>{translate(language, 'visitor.empty.text')}</p>
      </section>
      <ServerHealth language={language} />
    </main>
  );
}

const theme = chooseTheme(location.search);
if (theme) document.documentElement.dataset.theme = theme;
const place = document.getElementById('app');
if (place) render(<Visitor />, place);
