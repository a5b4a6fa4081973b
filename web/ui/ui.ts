/** What both pages share: texts by key, and whether the server answers. */
export { checkHealth, type Health } from './health.ts';
export { chooseLanguage, type Language, languages, translate } from './i18n.ts';
