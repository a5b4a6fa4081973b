import type { Live } from '@aldaba/client';
import { advance, askHealth, type Language, languages, translate, translateCount, unknown } from '@aldaba/ui';
import { type MouseEvent, useEffect, useReducer, useRef, useSyncExternalStore } from 'react';
import { Icon } from './icon.tsx';

/** The value of something that changes, drawn again after each change. */
export function useLive<T>(live: Live<T>): T {
  return useSyncExternalStore(
    (changed) => live.subscribe(changed),
    () => live.get(),
    () => live.get(),
  );
}

/** The shape of what is being fetched. */
export function Skeleton({ language }: { language: Language }) {
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{translate(language, 'log.loading')}</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}

/** One button per language, each in its own language. */
export function Languages({ language, choose }: { language: Language; choose: (l: Language) => void }) {
  return (
    <fieldset className="languages" aria-label={translate(language, 'language')}>
      {languages.map(([tag, name]) => (
        <button
          key={tag}
          type="button"
          lang={tag}
          aria-pressed={tag === language}
          onClick={() => choose(tag)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

/** Whether the server answers, and a way to ask again. */
export function ServerHealth({ language }: { language: Language }) {
  const [health, dispatch] = useReducer(advance, unknown);
  const status = useRef<HTMLDivElement>(null);

  useEffect(() => {
    void askHealth(fetch).then(dispatch);
  }, []);

  const retry = async ({ currentTarget }: MouseEvent<HTMLButtonElement>) => {
    if (health.state !== 'unreachable') return;
    dispatch({ type: 'ask' });
    const reply = await askHealth(fetch);
    // The button is about to go: whoever stands on it must not fall out of the page.
    if (reply.type === 'answer' && document.activeElement === currentTarget) status.current?.focus();
    dispatch(reply);
  };

  const failures = health.state === 'ready' ? 0 : health.failures;
  return (
    <div className="health" data-state={health.state}>
      <div ref={status} className="status" role="status" tabIndex={-1}>
        <Icon name={health.state} />
        <span>
          {translate(
            language,
            `status.${health.state}`,
            health.state === 'ready' ? { version: health.version } : {},
          )}
          {health.state === 'unreachable' && (
            <small>{translateCount(language, 'status.failures', failures)}</small>
          )}
        </span>
      </div>
      {failures > 0 && (
        <button type="button" className="button" aria-disabled={health.state === 'loading'} onClick={retry}>
          {translate(language, 'status.retry')}
        </button>
      )}
    </div>
  );
}
