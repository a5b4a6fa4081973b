/** What crosses a border of the browser side, with the checks of both sides. */
export {
  hello,
  port,
  readPort,
  readToFrame,
  readToPage,
  type ToFrame,
  type ToPage,
  version,
} from './frame.ts';
