import type { SiteView } from '@aldaba/client';
import { type Language, translate } from '@aldaba/ui';

/** How else the company is reached, where it says so. */
export function Contact({ language, contact }: { language: Language; contact: SiteView['contact'] }) {
  const { text, href } = contact;
  if (!text && !href) return null;
  const shown = text || href?.replace(/^\w+:(\/\/)?/, '');
  return (
    <p class="contact">
      {translate(language, 'contact')}{' '}
      {href ? (
        <a href={href} target="_blank" rel="noopener noreferrer">
          {shown}
        </a>
      ) : (
        <b>{shown}</b>
      )}
    </p>
  );
}
