import type { ConversationView } from '@aldaba/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Host } from './frame-port.ts';
import type { Shelf } from './shelf.ts';
import { chime } from './sound.ts';

/** Whether somebody may see the chat now; `focused` is called when the visitor asked for it. */
export function useSeen(host: Host, focused: () => void): boolean {
  const [seen, setSeen] = useState(host.shown);
  useEffect(() => {
    const look = () => setSeen(host.shown && document.visibilityState === 'visible');
    const end = host.listen((message) => {
      look();
      if (message.t === 'shown' && message.focus) focused();
    });
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      end();
      document.removeEventListener('visibilitychange', look);
    };
  }, [host]);
  return seen;
}

/** Tells the page around the chat what is unread and that messages come and go, and rings. */
export function useNews(
  host: Host,
  shelf: Shelf,
  view: ConversationView | undefined,
  seen: boolean,
  sound: boolean,
): void {
  const messages = (view?.lines ?? []).filter((line) => line.kind === 'message');
  const theirs = messages.filter((line) => !line.from.mine);
  const last = messages.at(-1)?.seq ?? -1;
  const known = useRef<number | undefined>(undefined);
  const told = view !== undefined && !view.loading;

  useEffect(() => {
    if (!told) return;
    const before = known.current;
    known.current = last;
    // What the log held when it was fetched is no news.
    if (before === undefined || last <= before) return;
    const fresh = messages.filter(({ seq }) => seq > before);
    for (const { from } of fresh) host.message(from.mine);
    if (sound && fresh.some(({ from }) => !from.mine)) chime();
  }, [told, last]);

  useEffect(() => {
    if (!told) return;
    const newest = theirs.at(-1)?.seq ?? -1;
    const { read = -1 } = shelf.load();
    if (seen && newest > read) shelf.save({ read: newest });
    host.unread(seen ? 0 : theirs.filter(({ seq }) => seq > read).length);
  }, [told, last, seen]);
}
