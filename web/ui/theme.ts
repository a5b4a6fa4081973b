export type Theme = 'light' | 'dark';

/** In the order of the switch; undefined is the system's. */
export const themes: readonly (Theme | undefined)[] = [undefined, 'light', 'dark'];

/** The address's ?theme, which the root element carries as data-theme; without one the system decides. */
export function chooseTheme(search: string): Theme | undefined {
  const theme = new URLSearchParams(search).get('theme');
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}

/** The address's query with the theme in it, so that a reload keeps the choice. */
export function withTheme(search: string, theme: Theme | undefined): string {
  const query = new URLSearchParams(search);
  if (theme) query.set('theme', theme);
  else query.delete('theme');
  return `?${query}`;
}
