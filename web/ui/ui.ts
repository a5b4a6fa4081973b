/** What both pages share: texts by key, theme, outlines, and what a page decides before it draws. */
export { advance, askHealth, unknown } from './health.ts';
export {
  chooseLanguage,
  type Key,
  type Language,
  languages,
  translate,
  translateCount,
  withLanguage,
} from './i18n.ts';
export { icons } from './icons.ts';
export { invitationIn, readInvitation } from './invitation.ts';
export { explain, isFinal } from './problem.ts';
export { answerer, listPeople, lockOf, type Row, rows } from './rows.ts';
export { type Stick, stickToEnd } from './stick.ts';
export { lacking, type Need } from './support.ts';
export { chooseTheme } from './theme.ts';
export { clock, dayName, lately } from './times.ts';
export { trustedAddress } from './worker.ts';
export { grow, longest, measure, sends } from './writing.ts';
