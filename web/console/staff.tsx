import type { AgentDesk, DeskView, Live } from '@aldaba/client';
import type { Language } from '@aldaba/ui';
import { useEffect, useState } from 'react';
import type { Me } from './api.ts';
import type { Found } from './app.tsx';
import { Inbox } from './inbox/inbox.tsx';
import { useSound } from './inbox/sound.ts';
import { Lacks, Loading, NotHere } from './notice.tsx';
import { useLive } from './parts.tsx';
import { usePresence } from './presence.ts';
import { go, useRoute } from './route.tsx';
import { Settings } from './settings/settings.tsx';
import { answersNobody, Shell, sectionOf } from './shell.tsx';
import { Supervision } from './supervision.tsx';
import { useWords } from './words.tsx';

interface Working {
  readonly me: Me;
  readonly found: Promise<Found> | undefined;
  readonly invitation: string;
  /** The demonstration's link: the device is approved, nothing is to be confirmed. */
  readonly approved: boolean;
  readonly choose: (language: Language) => void;
  readonly changed: () => void;
}

/** A desk that has not begun yet. */
const none: Live<DeskView> = (() => {
  const view: DeskView = { link: 'connecting', stage: 'starting', queue: [], unread: new Map() };
  return { get: () => view, subscribe: () => () => undefined };
})();

function useFound(found: Promise<Found> | undefined): Found | undefined {
  const [value, setValue] = useState<Found>();
  useEffect(() => {
    void found?.then(setValue);
  }, [found]);
  return value;
}

/** The pages of somebody who is signed in. */
export function Staff({ me, found, invitation, approved, choose, changed }: Working) {
  const { say } = useWords();
  const page = useRoute();
  const began = useFound(found);
  const desk: AgentDesk | undefined = began && 'desk' in began ? began.desk : undefined;
  const view = useLive(desk?.view ?? none);
  useSound(desk);
  usePresence(me, changed);

  const enrols = approved && invitation !== '' && view.stage === 'enrol' && !view.problem;
  useEffect(() => {
    if (enrols) desk?.enrol(invitation);
  }, [desk, enrols, invitation]);

  // Who answers nobody begins with what the installation still lacks.
  const elsewhere = page === '' && answersNobody(me);
  useEffect(() => {
    if (elsewhere) go('settings', true);
  }, [elsewhere]);

  const section = sectionOf(page, me);
  const unread = [...view.unread.values()].reduce((sum, one) => sum + one, 0);
  const waiting = view.queue.filter(({ state }) => state === 'waiting').length;
  useEffect(() => {
    const count = unread + waiting > 0 ? `(${unread + waiting}) ` : '';
    document.title = `${count}Aldaba · ${say(section ? `agent.nav.${section}` : 'missing.title')}`;
  }, [say, section, unread, waiting]);

  return (
    <Shell me={me} choose={choose} unread={unread + waiting} changed={changed} left={() => location.reload()}>
      {section === 'inbox' &&
        (desk ? (
          <Inbox me={me} desk={desk} view={view} invitation={invitation} />
        ) : began && 'lacks' in began ? (
          <Lacks lacks={began.lacks} />
        ) : (
          <Loading title={say('agent.title')} />
        ))}
      {section === 'supervision' && <Supervision me={me} />}
      {section === 'settings' && <Settings page={page} />}
      {section === undefined && !elsewhere && <NotHere />}
    </Shell>
  );
}
