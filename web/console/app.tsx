import type { AgentDesk } from '@aldaba/client';
import type { Language, Need } from '@aldaba/ui';
import { useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { api, type Me, onEnd, type Refused } from './api.ts';
import { refusalOf } from './asked.ts';
import { Gate } from './entry/gate.tsx';
import { Join, NoInvitation } from './entry/join.tsx';
import { SignIn } from './entry/signin.tsx';
import { Skeleton } from './parts.tsx';
import { explainRefusal } from './refusal.ts';
import { go, useRoute } from './route.tsx';
import { Staff } from './staff.tsx';
import { useWords } from './words.tsx';

/** The desk, or what the browser lacks for it. */
export type Found = { readonly desk: AgentDesk } | { readonly lacks: readonly Need[] };

/** What the address brought, once: it is not kept there. */
export interface Brought {
  readonly invitation: string;
  readonly join: string;
  readonly demo: string;
}

interface Standing {
  readonly choose: (language: Language) => void;
  /** Starts the desk; asked once somebody is signed in. */
  readonly begin: () => Promise<Found>;
  readonly brought: Brought;
}

type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'out'; readonly ended: boolean }
  | { readonly state: 'failed'; readonly why: Refused }
  | { readonly state: 'in'; readonly me: Me };

/** Who is here, and what they get to see. */
export function App({ choose, begin, brought }: Standing) {
  const { language, say } = useWords();
  const page = useRoute();
  const [session, setSession] = useState<Session>({ state: 'asking' });
  const [spent, setSpent] = useState(false);
  const [found, setFound] = useState<Promise<Found>>();
  const [token, setToken] = useState(brought.join);

  const ask = useCallback(async () => {
    try {
      const me = await api.me();
      setSession((before) => {
        // Another account on this page: nothing of the one before may stay.
        if (before.state === 'in' && before.me.id !== me.id) location.reload();
        return { state: 'in', me };
      });
    } catch (error) {
      const why = refusalOf(error);
      if (why.status === 401) setSession((before) => ({ state: 'out', ended: before.state === 'in' }));
      else setSession((before) => (before.state === 'in' ? before : { state: 'failed', why }));
    }
  }, []);

  useEffect(() => {
    if (brought.join) return;
    const first = brought.demo ? api.demo(brought.demo) : Promise.resolve(undefined);
    // A link that was used is no matter to whoever is signed in already.
    void first.catch(() => setSpent(true)).then(ask);
  }, [ask, brought]);
  useEffect(() => onEnd(() => setSession((before) => ({ state: 'out', ended: before.state === 'in' }))), []);

  const inside = session.state === 'in';
  useEffect(() => {
    if (inside) setFound((kept) => kept ?? begin());
  }, [inside, begin]);
  useLayoutEffect(() => {
    if (session.state === 'out' && page !== 'join') go('sign-in', true);
    if (inside && (page === 'sign-in' || (page === 'join' && !token))) go('', true);
  }, [session.state, inside, page, token]);

  const changed = useCallback(() => void ask(), [ask]);
  const entered = () => {
    setToken('');
    go('', true);
    void ask();
  };
  if (token) return <Join choose={choose} token={token} entered={entered} />;
  if (page === 'join' && session.state !== 'in') return <NoInvitation choose={choose} />;
  switch (session.state) {
    case 'asking':
      return (
        <Gate choose={choose} title={say('app.asking')}>
          <Skeleton language={language} />
        </Gate>
      );
    case 'failed':
      return (
        <Gate choose={choose} title={say('failed.page')}>
          <p role="alert">{explainRefusal(language, session.why)}</p>
          <button type="button" className="button primary" onClick={() => void ask()}>
            {say('status.retry')}
          </button>
        </Gate>
      );
    case 'out':
      return (
        <SignIn
          choose={choose}
          why={session.ended ? 'sign.ended' : spent ? 'sign.spent' : undefined}
          entered={entered}
        />
      );
    case 'in':
      return (
        <Staff
          me={session.me}
          found={found}
          invitation={brought.invitation}
          approved={brought.demo !== ''}
          choose={choose}
          changed={changed}
        />
      );
  }
}
