// The launcher: a round button with a badge, and the place of the frame. A
// closed shadow root keeps the page's styles out, an adopted sheet needs no
// hole in the page's policy, and the top layer needs no race of z-indexes.

const sheet = `
:host{all:initial!important}
div{all:initial;display:block;position:fixed;z-index:2147483000;inset-block-end:20px;inset-inline-end:20px;color-scheme:light dark;--a:#0b5d5b;--t:#fff}
button{all:unset;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;background:var(--a);color:var(--t);cursor:pointer;box-shadow:0 4px 20px rgb(0 0 0/.24);outline:2px solid transparent;transition:scale .16s cubic-bezier(.2,0,0,1)}
button:hover{scale:1.05}
button:focus-visible{outline:3px solid var(--a);outline-offset:3px;box-shadow:0 0 0 3px #fff}
svg{width:26px;height:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.open path:first-child,path+path{display:none}
.open path+path{display:inline}
b{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;box-sizing:border-box;min-width:22px;height:22px;padding:0 6px;border:2px solid #fff;border-radius:11px;background:#a3281e;color:#fff;font:650 12px/18px system-ui,sans-serif;text-align:center}
b:empty{display:none}
iframe{display:none;position:fixed;inset-block-end:92px;inset-inline-end:20px;width:min(392px,calc(100vw - 40px));height:min(680px,calc(100dvh - 112px));border:0;border-radius:16px;background:light-dark(#f7f6f3,#121413);box-shadow:0 8px 48px rgb(0 0 0/.24)}
.open iframe{display:block}
@media(max-width:480px),(max-height:480px){.open iframe{inset:0;width:100%;height:100dvh;border-radius:0}.open button{display:none}}
@media(prefers-reduced-motion:reduce){button{transition:none}}
@media print{div{display:none}}
`;

const bubble = 'M12 4c5 0 9 3 9 7.5S17 19 12 19a11 11 0 0 1-3-.5L4 20l1-4a7 7 0 0 1-2-4.5C3 7 7 4 12 4Z';
const down = 'm6 9 6 6 6-6';

export interface Launcher {
  readonly button: HTMLButtonElement;
  /** Where the frame goes. */
  readonly place: HTMLElement;
  add(): void;
  remove(): void;
  show(open: boolean): void;
  count(unread: number): void;
  /** A colour as #rrggbb; what stands on it is black or white, whichever is read better. */
  tint(color: string): void;
}

export function draw(label: string, side: string | undefined): Launcher {
  const host = document.createElement('aldaba-chat');
  const root = host.attachShadow({ mode: 'closed' });
  const styles = new CSSStyleSheet();
  styles.replaceSync(sheet);
  root.adoptedStyleSheets = [styles];
  const place = document.createElement('div');
  const button = document.createElement('button');
  const badge = document.createElement('b');
  const names = place.classList;
  // The insets are logical: the direction decides the side, and nothing else here has one.
  if (side) place.dir = side === 'left' ? 'rtl' : 'ltr';
  button.type = 'button';
  button.ariaLabel = label;
  button.ariaExpanded = 'false';
  badge.ariaHidden = 'true';
  button.append(icon(), badge);
  place.append(button);
  root.append(place);

  const add = () => {
    document.body.append(host);
    place.popover = 'manual';
    // An older browser keeps the place in the page, under a high z-index.
    place.showPopover?.();
  };
  return {
    button,
    place,
    add: () => (document.body ? add() : document.addEventListener('DOMContentLoaded', add)),
    remove: () => host.remove(),
    show(open) {
      names.toggle('open', open);
      button.ariaExpanded = String(open);
    },
    count(unread) {
      badge.textContent = unread ? (unread > 9 ? '9+' : String(unread)) : '';
      button.ariaLabel = unread ? `${label} (${unread})` : label;
    },
    tint(color) {
      const parts = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(color);
      if (!parts) return;
      const [red, green, blue] = parts.slice(1).map((part) => (Number.parseInt(part, 16) / 255) ** 2.2);
      const light = 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
      place.style.setProperty('--a', color);
      place.style.setProperty('--t', light > 0.179 ? '#000' : '#fff');
    },
  };
}

function icon(): SVGElement {
  const make = <T extends keyof SVGElementTagNameMap>(name: T) =>
    document.createElementNS('http://www.w3.org/2000/svg', name);
  const picture = make('svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.ariaHidden = 'true';
  for (const drawn of [bubble, down]) {
    const path = make('path');
    path.setAttribute('d', drawn);
    picture.append(path);
  }
  return picture;
}
