/** What both pages share: texts by key, theme, outlines, and what a page decides before it draws. */
export { faultOf } from './fields.ts';
export { advance, askHealth, unknown } from './health.ts';
export {
  capitalise,
  chooseLanguage,
  type Key,
  type Language,
  languages,
  learn,
  speaker,
  translate,
  translateCount,
  withLanguage,
} from './i18n.ts';
export { icons } from './icons.ts';
export { invitationIn, readInvitation } from './invitation.ts';
export { type Piece, pieces } from './links.ts';
export { explain, isFinal } from './problem.ts';
export { answerer, fieldName, introduce, listPeople, lockOf, type Row, rows } from './rows.ts';
export { type Stick, stickToEnd } from './stick.ts';
export { keeps, lacking, type Need } from './support.ts';
export { chooseTheme, type Theme, themes, withTheme } from './theme.ts';
export { clock, dateTime, dayName, lately } from './times.ts';
export { trustedAddress } from './worker.ts';
export { grow, longest, measure, sends } from './writing.ts';
