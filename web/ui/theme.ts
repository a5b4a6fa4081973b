/** The address's ?theme, which the root element carries as data-theme; without one the system decides. */
export function chooseTheme(search: string): 'light' | 'dark' | undefined {
  const theme = new URLSearchParams(search).get('theme');
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}
