import type { VisitorChat } from '@aldaba/client';
import { answerer, translate } from '@aldaba/ui';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formOf } from './before.tsx';
import { Body, Erase, unknown } from './body.tsx';
import { Badge, Card } from './card.tsx';
import { Frame } from './frame.tsx';
import type { Host } from './frame-port.ts';
import { Menu, type Settings } from './menu.tsx';
import { Confirmed, useLive } from './parts.tsx';
import type { Shelf } from './shelf.ts';
import { useNews, useSeen } from './watch.ts';

interface Talking {
  readonly settings: Settings;
  readonly chat: VisitorChat;
  readonly fleeting: boolean;
  readonly host: Host;
  readonly shelf: Shelf;
}

/** The visitor's chat. */
export function Visitor({ settings, chat, fleeting, host, shelf }: Talking) {
  const { language } = settings;
  const view = useLive(chat.view);
  const [kept, setKept] = useState(shelf.load);
  const dialog = useRef<HTMLDialogElement>(null);
  const { conversation, site = unknown } = view;
  const agent = answerer(conversation?.members ?? []);
  const talks = view.stage === 'talking' && conversation && !conversation.closed;
  const open = () => dialog.current?.showModal();
  const put = (part: Parameters<Shelf['save']>[0]) => {
    shelf.save(part);
    setKept(shelf.load());
  };

  const told = { answers: kept.answers, department: kept.department };
  const say = (text: string) => {
    if (told.department) chat.choose(told.department);
    const form = view.stage === 'none' ? formOf(site, told, host.path) : [];
    if (form.length > 0) chat.form(form);
    chat.say(text);
  };
  const erase = () => {
    put({ draft: '', answers: {}, outbox: [] });
    chat.erase();
  };

  // What is on its way outlives a reload: it is sent again under its old name.
  useEffect(() => {
    const { department, outbox } = shelf.load();
    if (department) chat.choose(department);
    for (const { text, fields, cid } of outbox) {
      if (fields) chat.form(fields, cid);
      else chat.say(text, cid);
    }
  }, [chat, shelf]);
  const outgoing = conversation?.outgoing;
  useEffect(() => {
    const before = shelf.load().outbox.length;
    if (outgoing && outgoing.length + before > 0)
      shelf.save({
        outbox: outgoing.map(({ cid, text, fields }) => ({ cid, text, ...(fields && { fields }) })),
      });
  }, [outgoing, shelf]);

  const seen = useSeen(host, () =>
    document.querySelector<HTMLElement>('textarea, .ask input, [tabindex="-1"]')?.focus(),
  );
  useNews(host, shelf, conversation, seen, settings.sound);

  const isOpen = view.place?.open ?? site.open;
  const presence = isOpen ? 'presence.open' : 'presence.away';
  const state = translate(language, view.link === 'online' ? presence : `link.${view.link}`);
  return (
    <Frame
      language={language}
      host={host}
      name={agent?.name || site.name}
      here={view.link === 'online' && (agent !== undefined || isOpen)}
      status={
        agent && view.link === 'online' ? (
          <>
            <Badge language={language} agent={agent} open={open} />
            <span>{agent.title || site.name}</span>
          </>
        ) : (
          <span>{state}</span>
        )
      }
      menu={
        <Menu settings={settings}>
          {talks && (
            <>
              <Confirmed
                language={language}
                button={translate(language, 'visitor.end.name')}
                title={translate(language, 'visitor.end.title')}
                text={translate(language, 'visitor.end.text')}
                confirm={translate(language, 'visitor.end')}
                act={() => chat.close()}
              />
              <Erase language={language} erase={erase} />
            </>
          )}
        </Menu>
      }
    >
      <Body
        language={language}
        chat={chat}
        fleeting={fleeting}
        view={view}
        seen={seen}
        site={site}
        told={told}
        tell={({ answers, department }) => put({ answers, ...(department && { department }) })}
        draft={kept.draft}
        write={(draft) => {
          put({ draft });
          if (draft.trim()) chat.typing();
        }}
        say={say}
        erase={erase}
        open={open}
      />
      {conversation && conversation.members.length > 0 && (
        <Card language={language} dialog={dialog} site={site.name} agent={agent} view={conversation} />
      )}
    </Frame>
  );
}
