// The first stage of the frame: it answers the loader and shows what is unread.
// The chat itself is loaded when somebody opens it, or talks already.
import { host } from './frame-port.ts';

/** The page around this one. */
const around = host(window, async () => (await import('./main.tsx')).start(around));
