import { type Language, type Piece, pieces, translate } from '@aldaba/ui';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './parts.tsx';

export type Link = Piece & { readonly kind: 'link' };

/** An address goes out without telling where it was read, and without a way back to this window. */
const outside = { target: '_blank', rel: 'noopener noreferrer nofollow ugc' } as const;

/** What somebody wrote, with its links; following one asks first. */
export function Text({ text, follow }: { text: string; follow: (link: Link) => void }) {
  return (
    <>
      {pieces(text).map((piece, at) =>
        piece.kind === 'text' ? (
          piece.text
        ) : (
          <a
            key={at}
            {...outside}
            href={piece.href}
            onClick={(event) => {
              event.preventDefault();
              follow(piece);
            }}
            // The middle button too.
            onAuxClick={(event) => {
              event.preventDefault();
              follow(piece);
            }}
          >
            <b>{piece.host}</b>
            {piece.rest}
            <Icon name="external" />
          </a>
        ),
      )}
    </>
  );
}

/** The step before another website, which says which one it really is. */
export function Leaving({ language, link, stay }: { language: Language; link: Link; stay: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`} onClose={stay}>
      <h2 id={`${id}-title`}>{translate(language, 'leaving.title', { host: link.host })}</h2>
      <div id={`${id}-text`}>
        <p class="address" dir="ltr">
          {link.href}
        </p>
        {link.foreign && <p class="fault">{translate(language, 'leaving.foreign')}</p>}
        <p>{translate(language, 'leaving.text')}</p>
      </div>
      <div class="choices">
        <button type="button" class="button" onClick={close}>
          {translate(language, 'leaving.stay')}
        </button>
        <a class="button primary" {...outside} href={link.href} onClick={close}>
          {translate(language, 'leaving.go')}
        </a>
      </div>
    </dialog>
  );
}
