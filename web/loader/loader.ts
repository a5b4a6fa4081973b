// The loader: the only code of the chat that runs inside a customer's page.
//
// It draws the launcher in a closed shadow root, makes the frame once the
// visitor asks for it (or the site says that they agreed), and passes the few
// messages of protocol/frame.ts. It reads the attributes of its own script
// element, the page's language and path, and one flag of sessionStorage:
// whether a chat was left open or closed in this tab. It writes that flag once
// the visitor acted, and nothing else anywhere. It reads no field, cookie or
// text of the page and patches nothing.
//
// Pages pin it by its hash (docs/embed), so a released one never changes.
import { hello, port as portKind, readToPage, type ToFrame, version } from '@aldaba/protocol';
import type { Aldaba, Events } from './api.ts';
import { draw } from './launcher.ts';

const script = document.currentScript as HTMLScriptElement;
const { site = '', label = 'Chat', side, accent } = script.dataset;
const base = new URL(script.src).origin;
const storage = 'aldaba';

type Call = (detail: never) => void;

function start(): void {
  const calls: [keyof Events, Call][] = [];
  const launcher = draw(label, side);
  const { button, place } = launcher;
  let locale = script.dataset.locale ?? document.documentElement.lang;
  let frame: HTMLIFrameElement | undefined;
  let port: MessagePort | undefined;
  let isOpen = false;
  /** Whether the site said that the visitor agreed. */
  let agreed = false;
  let token: ((cnf: string) => string | Promise<string>) | undefined;
  let back: HTMLElement | SVGElement = button;
  const left = remembered();
  /** Whether the visitor asked for the chat, on this page or an earlier one of this tab. */
  let acted = left !== null;

  const emit = <E extends keyof Events>(event: E, detail?: Events[E]) => {
    for (const [name, call] of calls) if (name === event) Promise.resolve(detail as never).then(call);
  };
  const post = (message: ToFrame) => port?.postMessage(message);

  function show(open: boolean, focus: boolean): void {
    if (open) mount();
    if (acted) remember(open ? 'open' : 'closed');
    if (open === isOpen) return;
    isOpen = open;
    launcher.show(open);
    post(open ? { t: 'shown', focus } : { t: 'hidden' });
    if (focus) (open ? frame : back)?.focus();
    emit(open ? 'open' : 'close');
  }

  function mount(): void {
    if (frame) return;
    frame = document.createElement('iframe');
    frame.title = label;
    frame.referrerPolicy = 'strict-origin';
    frame.allow = 'clipboard-write';
    frame.setAttribute(
      'sandbox',
      'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads',
    );
    frame.src = `${base}/f/${encodeURIComponent(site)}?lang=${encodeURIComponent(locale)}`;
    place.append(frame);
    emit('consent', true);
  }

  function unmount(): void {
    port?.close();
    port = undefined;
    frame?.remove();
    frame = undefined;
    acted = agreed = false;
    remember();
    launcher.count(0);
    if (isOpen) {
      isOpen = false;
      launcher.show(false);
      emit('close');
    }
  }

  function greet(event: MessageEvent): void {
    if (!frame || event.source !== frame.contentWindow || event.origin !== base || event.data !== hello)
      return;
    const channel = new MessageChannel();
    port?.close();
    port = channel.port1;
    port.onmessage = ({ data }) => hear(data);
    frame.contentWindow?.postMessage([portKind, version], base, [channel.port2]);
    post({ t: 'state', open: isOpen, resumed: left !== null, locale, path: location.pathname });
    if (token) post({ t: 'identifies' });
  }

  function hear(data: unknown): void {
    const message = readToPage(data);
    switch (message?.t) {
      case 'unread':
        launcher.count(message.count);
        emit('unread', message.count);
        break;
      case 'open':
        show(true, false);
        break;
      case 'close':
        show(false, true);
        break;
      case 'accent':
        launcher.tint(message.color);
        break;
      case 'message':
        emit('message', { mine: message.mine });
        break;
      case 'identify':
        Promise.resolve(token?.(message.cnf)).then((signed) => {
          if (typeof signed === 'string') post({ t: 'identity', token: signed });
        });
    }
  }

  /** A click or a key of the visitor: what a page does by script is not trusted. */
  function pressed(event: Event): void {
    if (!event.isTrusted) return;
    const on = event.target instanceof Element && event.target.closest<HTMLElement>('[data-aldaba-open]');
    if (!on) return;
    acted = true;
    back = on;
    show(true, true);
  }

  /** Commands of the page count as the visitor's only while a click or a key of theirs is being answered. */
  function may(): boolean {
    acted ||= navigator.userActivation?.isActive ?? false;
    return acted || agreed;
  }

  const commands: Record<string, (...args: never[]) => void> = {
    open: () => may() && show(true, true),
    close: () => show(false, true),
    toggle: () => may() && show(!isOpen, true),
    consent(given: boolean) {
      if (given !== true) {
        unmount();
        emit('consent', false);
      } else if (!agreed) {
        agreed = true;
        mount();
      }
    },
    locale(tag: string) {
      locale = tag;
      post({ t: 'locale', locale });
    },
    identify(call: typeof token & object) {
      token = call;
      post({ t: 'identifies' });
    },
    on(event: keyof Events, call: Call) {
      calls.push([event, call]);
      if (event === 'ready') Promise.resolve(undefined as never).then(call);
    },
    shutdown() {
      unmount();
      launcher.remove();
      document.removeEventListener('click', pressed);
      window.removeEventListener('message', greet);
      commands.open = commands.toggle = commands.consent = () => {};
    },
  };
  const Aldaba = ((name: string, ...args: never[]) => {
    const command = Object.hasOwn(commands, name) && commands[name];
    if (!command) throw new TypeError(`Aldaba has no command ${name}`);
    command(...args);
  }) as Aldaba;

  const early = window.Aldaba?.q ?? [];
  window.Aldaba = Aldaba;
  if (accent) launcher.tint(accent);
  button.onclick = (event) => {
    acted ||= event.isTrusted;
    back = button;
    if (acted) show(!isOpen, true);
  };
  place.onkeydown = (event) => {
    if (event.key === 'Escape' && isOpen) show(false, true);
  };
  document.addEventListener('click', pressed);
  window.addEventListener('message', greet);
  launcher.add();
  if (left) mount();
  if (left === 'open') show(true, false);
  for (const call of early) {
    try {
      Aldaba(...(Array.from(call) as [never]));
    } catch (error) {
      reportError(error);
    }
  }
}

/** What this tab remembers; nothing where the browser keeps nothing. */
function remembered(): string | null {
  try {
    return sessionStorage.getItem(storage);
  } catch {
    return null;
  }
}

function remember(state?: 'open' | 'closed'): void {
  try {
    if (state) sessionStorage.setItem(storage, state);
    else sessionStorage.removeItem(storage);
  } catch {
    // The chat goes on without: it is closed on the next page.
  }
}

// A second script of the same page changes nothing.
if (!window.Aldaba || window.Aldaba.q) start();
