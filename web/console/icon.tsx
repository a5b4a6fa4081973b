import { icons as shared } from '@aldaba/ui';

/** Outlines that only the console has, on the same grid as the shared ones. */
const icons = {
  ...shared,
  building:
    'M5 20.5V5.3a1.8 1.8 0 0 1 1.8-1.8h6.4A1.8 1.8 0 0 1 15 5.3v15.2M15 10h2.7a1.8 1.8 0 0 1 1.8 1.8v8.7M3 20.5h18M8.5 8h3M8.5 12h3M8.5 16h3',
  close: 'm6 6 12 12M18 6 6 18',
  copy: 'M9.3 8.5h9.4a1.8 1.8 0 0 1 1.8 1.8v8.4a1.8 1.8 0 0 1-1.8 1.8H9.3a1.8 1.8 0 0 1-1.8-1.8v-8.4a1.8 1.8 0 0 1 1.8-1.8zM4.8 15.5a1.8 1.8 0 0 1-1.3-1.8V5.3a1.8 1.8 0 0 1 1.8-1.8h8.4a1.8 1.8 0 0 1 1.8 1.3',
  eye: 'M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 1 1 0-5.6z',
  globe:
    'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 1 1 0-17zM3.5 12h17M12 3.5c2.3 2.4 3.4 5.2 3.4 8.5s-1.1 6.1-3.4 8.5c-2.3-2.4-3.4-5.2-3.4-8.5s1.1-6.1 3.4-8.5z',
  hide: 'M4 4l16 16M9.9 6.1A8.6 8.6 0 0 1 12 5.8c6 0 9.2 6.2 9.2 6.2a15 15 0 0 1-2.5 3.3M6.4 7.6A15 15 0 0 0 2.8 12S6 18.2 12 18.2a8.9 8.9 0 0 0 4-1M10 10a2.8 2.8 0 0 0 4 4',
  leave:
    'M9.5 20.5H5.3a1.8 1.8 0 0 1-1.8-1.8V5.3a1.8 1.8 0 0 1 1.8-1.8h4.2M15.5 16.5 20 12l-4.5-4.5M20 12H9.5',
  next: 'm9.5 5.8 6.2 6.2-6.2 6.2',
  panel:
    'M5.3 4.5h13.4a1.8 1.8 0 0 1 1.8 1.8v11.4a1.8 1.8 0 0 1-1.8 1.8H5.3a1.8 1.8 0 0 1-1.8-1.8V6.3a1.8 1.8 0 0 1 1.8-1.8zM14.5 4.5v15',
  people:
    'M9 11a3.5 3.5 0 1 1 0-7 3.5 3.5 0 1 1 0 7zM2.8 20a6.2 6.2 0 0 1 12.4 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.3a6.2 6.2 0 0 1 3.2 5.7',
  plus: 'M12 5v14M5 12h14',
  print:
    'M7 9V3.5h10V9M7 17H5.3a1.8 1.8 0 0 1-1.8-1.8v-4.4A1.8 1.8 0 0 1 5.3 9h13.4a1.8 1.8 0 0 1 1.8 1.8v4.4a1.8 1.8 0 0 1-1.8 1.8H17M7 14h10v6.5H7z',
  pulse: 'M3 12h4l3 8 4-16 3 8h4',
  settings:
    'M4 7h8.5M17.5 7H20M4 17h2.5M11.5 17H20M15 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 1 1 0-5zM9 14.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 1 1 0-5z',
  user: 'M12 11.5a4 4 0 1 1 0-8 4 4 0 1 1 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0',
} as const;

export type IconName = keyof typeof icons;

/** An outline beside words that say the same, hence hidden from screen readers. */
export function Icon({ name, className = '' }: { name: IconName; className?: string | undefined }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
}
