/** What both pages share: texts by key, theme, outlines, and whether the server answers. */
export { advance, askHealth, unknown } from './health.ts';
export { chooseLanguage, type Language, languages, translate, translateCount, withLanguage } from './i18n.ts';
export { icons } from './icons.ts';
export { chooseTheme } from './theme.ts';
