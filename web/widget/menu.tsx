import { type Language, type Theme, themes, translate } from '@aldaba/ui';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, Languages } from './parts.tsx';
import { usePopup } from './popup.ts';

/** What a visitor may choose about the page. */
export interface Settings {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  /** Undefined: as the system has it. */
  readonly theme: Theme | undefined;
  readonly paint: (theme: Theme | undefined) => void;
  readonly sound: boolean;
  readonly ring: (on: boolean) => void;
}

function Themes({ language, theme, paint }: Settings) {
  return (
    <fieldset class="languages">
      <legend>{translate(language, 'theme')}</legend>
      {themes.map((one) => (
        <button key={one} type="button" aria-pressed={one === theme} onClick={() => paint(one)}>
          {translate(language, `theme.${one ?? 'system'}`)}
        </button>
      ))}
    </fieldset>
  );
}

/** The menu of the header: settings, and in `children` the acts of the conversation. */
export function Menu({ settings, children }: { settings: Settings; children?: ComponentChildren }) {
  const { language, choose, sound, ring } = settings;
  const { open, setOpen, place, button } = usePopup();
  const id = useId();
  return (
    <div ref={place} class="menu">
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-label={translate(language, 'menu')}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      <div id={id} class="drop" hidden={!open}>
        <Languages language={language} choose={choose} />
        <Themes {...settings} />
        <button type="button" class="item" role="switch" aria-checked={sound} onClick={() => ring(!sound)}>
          <span>{translate(language, 'sound')}</span>
          <span class="pill">{translate(language, sound ? 'on' : 'off')}</span>
        </button>
        {children}
      </div>
    </div>
  );
}
