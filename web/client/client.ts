/**
 * What the widget and the console share: a conversation with the server and
 * with the vault, without a page. Every promise is kept here; what goes wrong
 * shows as a view's problem.
 */
export type * from './chat.ts';
export { progress } from './chat.ts';
export { desk } from './desk.ts';
export { askSite, visitor } from './visitor.ts';
