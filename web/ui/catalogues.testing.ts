// Tests draw in every language at once.
import { languages, learn } from './i18n.ts';

await Promise.all(languages.map(([tag]) => learn(tag)));
