import type { AgentDesk, DeskView } from '@aldaba/client';
import { explain, isFinal, type Language, type Need, translate } from '@aldaba/ui';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Conversation, Skeleton, Trouble } from './conversation.tsx';
import { Enrol, Steps } from './enrol.tsx';
import { Icon, Languages, ServerHealth, useLive } from './parts.tsx';
import { Queue } from './queue.tsx';

interface Framed {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  readonly link?: DeskView['link'];
  /** Whether what is written now waits for the connection. */
  readonly queues?: boolean;
  readonly children: ReactNode;
}

/** The rail, the header and the foot around whatever the page is about. */
function Frame({ language, choose, link, queues = false, children }: Framed) {
  return (
    <div className="agent">
      <nav className="rail" aria-label={translate(language, 'agent.nav')}>
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
          {link && (
            <p className="link" role="status" data-link={link}>
              {translate(language, `link.${link}`)}
            </p>
          )}
          <Languages language={language} choose={choose} />
        </header>
        {queues && link === 'offline' && (
          <div className="banner" role="status">
            <Icon name="unreachable" />
            <p>{translate(language, 'offline')}</p>
          </div>
        )}
        <main id="inbox" tabIndex={-1}>
          {children}
        </main>
        {link !== 'offline' && (
          <footer>
            <ServerHealth language={language} />
          </footer>
        )}
      </div>
    </div>
  );
}

interface Noticed {
  readonly icon: 'inbox' | 'chat' | 'unreachable';
  readonly title: string;
  readonly text: string;
  /** The page's own heading, or one below it. */
  readonly level?: 'h1' | 'h2';
  readonly children?: ReactNode;
}

/** One thing to say where nothing is listed. */
function Notice({ icon, title, text, level: Heading = 'h2', children }: Noticed) {
  return (
    <section className="empty" aria-labelledby="empty">
      <Icon name={icon} />
      <Heading id="empty">{title}</Heading>
      <p>{text}</p>
      {children}
    </section>
  );
}

function Starting({ language }: { language: Language }) {
  return (
    <>
      <h1 className="hidden">{translate(language, 'agent.title')}</h1>
      <Skeleton language={language} />
    </>
  );
}

/**
 * Conversations of mine whose last entry is newer than what was on the screen.
 * What stood there when the page came counts as seen.
 */
function useNews({ queue, current }: DeskView): ReadonlySet<string> {
  const [seen] = useState(() => new Map<string, number>());
  const news = new Set<string>();
  for (const { conv, seq, state } of queue) {
    const last = seen.get(conv);
    if (last === undefined || conv === current?.conv) continue;
    if (state === 'mine' && seq > last) news.add(conv);
  }
  useEffect(() => {
    for (const { conv, seq } of queue) {
      if (!seen.has(conv) || conv === current?.conv) seen.set(conv, seq);
    }
  }, [queue, current?.conv, seen]);
  return news;
}

interface Working {
  readonly language: Language;
  readonly desk: AgentDesk;
  readonly view: DeskView;
  /** Unfinished texts by conversation. */
  readonly drafts: Map<string, string>;
}

/** The list and the open conversation; on a narrow page one of them. */
function Inbox({ language, desk, view, drafts }: Working) {
  const [side, setSide] = useState<'list' | 'conversation'>('list');
  const box = useRef<HTMLDivElement>(null);
  const news = useNews(view);
  const { queue, current } = view;

  const open = (conv: string) => {
    desk.select(conv);
    setSide('conversation');
  };
  const conv = side === 'conversation' ? current?.conv : undefined;
  const shape = `${current?.open} ${current?.closed}`;
  const stood = useRef({ conv, shape });
  // Whoever opens one goes on there: in the field, or at its name when there is none. So does who
  // accepts or closes it, whose button is gone; nobody is fetched from another place of the page.
  useEffect(() => {
    const opened = stood.current.conv !== conv;
    const changed = stood.current.shape !== shape;
    stood.current = { conv, shape };
    const at = document.activeElement;
    const lost = at === document.body || at?.id === 'conversation';
    if (conv === undefined || !(opened || (changed && lost))) return;
    const find = (selector: string) => box.current?.querySelector<HTMLElement>(selector);
    (find('textarea:enabled') ?? find('#conversation'))?.focus();
  }, [conv, shape]);
  const back = () => {
    setSide('list');
    // The list is drawn again in this turn of the page; only then can the focus go there.
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[aria-current="true"]')?.focus());
  };

  return (
    <div
      ref={box}
      className={queue.length > 0 || current ? 'inbox' : 'inbox bare'}
      data-side={current ? side : 'list'}
    >
      <div className="list">
        <h1>{translate(language, 'agent.title')}</h1>
        {queue.length > 0 ? (
          <Queue language={language} items={queue} current={current?.conv} news={news} open={open} />
        ) : (
          <Notice
            icon="inbox"
            title={translate(language, 'agent.empty.title')}
            text={translate(language, 'agent.empty.text')}
          />
        )}
      </div>
      {current ? (
        <Conversation language={language} desk={desk} view={current} drafts={drafts} back={back} />
      ) : (
        queue.length > 0 && (
          <div className="conversation pick">
            <Notice
              icon="chat"
              title={translate(language, 'agent.pick.title')}
              text={translate(language, 'agent.pick.text')}
            />
          </div>
        )
      )}
    </div>
  );
}

function Body({ language, desk, view, drafts, invitation }: Working & { invitation: string }) {
  switch (view.stage) {
    case 'starting':
      return <Starting language={language} />;
    case 'failed': {
      const problem = view.problem ?? { code: 'offline' };
      return (
        <Notice
          icon="unreachable"
          level="h1"
          title={translate(language, 'agent.failed.title')}
          text={explain(language, problem)}
        >
          {!isFinal(problem) && (
            <button type="button" className="button primary" onClick={() => desk.restart()}>
              {translate(language, 'failed.again')}
            </button>
          )}
        </Notice>
      );
    }
    case 'enrol':
      return (
        <Enrol language={language} view={view} invitation={invitation} enrol={(typed) => desk.enrol(typed)} />
      );
    case 'asked':
    case 'certified':
      return <Steps language={language} stage={view.stage} another={() => desk.another()} />;
    case 'ready':
      return <Inbox language={language} desk={desk} view={view} drafts={drafts} />;
  }
}

interface Sitting {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  readonly desk: AgentDesk;
  readonly invitation: string;
}

/** The agent's desk. */
export function Desk({ language, choose, desk, invitation }: Sitting) {
  const view = useLive(desk.view);
  const [drafts] = useState(() => new Map<string, string>());
  const waiting = view.queue.filter((item) => item.state === 'waiting').length;
  useEffect(() => {
    const count = waiting > 0 ? `(${waiting}) ` : '';
    document.title = `${count}Aldaba · ${translate(language, 'agent.title')}`;
  }, [language, waiting]);
  return (
    <Frame language={language} choose={choose} link={view.link} queues={view.stage === 'ready'}>
      {['asked', 'certified', 'ready'].includes(view.stage) && (
        <Trouble language={language} problem={view.problem} again={() => desk.restart()} />
      )}
      <Body language={language} desk={desk} view={view} drafts={drafts} invitation={invitation} />
    </Frame>
  );
}

/** In place of the desk, where the browser lacks what it needs; nothing yet while that is being found out. */
export function Ground({ language, choose, lacks }: Omit<Framed, 'children'> & { lacks?: readonly Need[] }) {
  const what = new Intl.ListFormat(language).format(
    (lacks ?? []).map((need) => (need === 'https' ? translate(language, 'unsupported.https') : need)),
  );
  return (
    <Frame language={language} choose={choose}>
      {lacks ? (
        <Notice
          icon="unreachable"
          level="h1"
          title={translate(language, 'unsupported.title')}
          text={translate(language, 'unsupported.text', { what })}
        />
      ) : (
        <Starting language={language} />
      )}
    </Frame>
  );
}
