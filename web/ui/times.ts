import { capitalise, type Language } from './i18n.ts';

/** A name of the local day that a moment lies in; moments are milliseconds. */
export function dayKey(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** Hours and minutes of a moment, as the language writes them. */
export function clock(language: Language, time: number): string {
  return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(time);
}

/** A day in words: today, yesterday, or its date, with the year when it is another. */
export function dayName(language: Language, time: number, now: number): string {
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  const near = [now, yesterday.getTime()].findIndex((moment) => dayKey(moment) === dayKey(time));
  if (near >= 0) {
    const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
    return capitalise(language, words.format(-near, 'day'));
  }
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  const format = new Intl.DateTimeFormat(language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  });
  return capitalise(language, format.format(time));
}

/** When something was last touched, short: the hour of today, else the date. */
export function lately(language: Language, time: number, now: number): string {
  if (dayKey(time) === dayKey(now)) return clock(language, time);
  return new Intl.DateTimeFormat(language, { dateStyle: 'short' }).format(time);
}

/** A day and an hour, short: for tables and panels. */
export function dateTime(language: Language, time: number): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(time);
}
