import type { Site } from '../api.ts';
import { Choice, Field } from '../field.tsx';
import { Icon } from '../icon.tsx';
import { useWords } from '../words.tsx';
import css from './fields.module.css';

const kinds = ['text', 'mail', 'phone', 'choice'] as const;

type Asked = Site['fields'][number];

/** What a visitor is asked before the first message. The answers are sealed like messages. */
export function FieldList({
  fields,
  change,
  error,
}: {
  fields: readonly Asked[];
  change: (fields: readonly Asked[]) => void;
  error: string | undefined;
}) {
  const { say } = useWords();
  const set = (at: number, part: Partial<Asked>) =>
    change(fields.map((one, place) => (place === at ? { ...one, ...part } : one)));
  const add = () =>
    change([
      ...fields,
      {
        name: `field${fields.length + 1}`,
        kind: 'text',
        label: { es: '', en: '' },
        required: false,
        choices: [],
      },
    ]);
  return (
    <fieldset className={css.fields}>
      <legend>{say('fields')}</legend>
      <p className={css.hint}>{say('fields.hint')}</p>
      {fields.map((field, at) => (
        <div key={field.name} className={css.field}>
          <Field
            label={say('fields.es')}
            required
            value={field.label.es ?? ''}
            onChange={({ currentTarget }) => set(at, { label: { ...field.label, es: currentTarget.value } })}
          />
          <Field
            label={say('fields.en')}
            required
            value={field.label.en ?? ''}
            onChange={({ currentTarget }) => set(at, { label: { ...field.label, en: currentTarget.value } })}
          />
          <Choice
            label={say('fields.kind')}
            value={field.kind}
            onChange={({ currentTarget }) => set(at, { kind: currentTarget.value })}
          >
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                {say(`fields.${kind}`)}
              </option>
            ))}
          </Choice>
          {field.kind === 'choice' && (
            <Field
              label={say('fields.choices')}
              hint={say('fields.choices.hint')}
              required
              defaultValue={field.choices.join(', ')}
              onChange={({ currentTarget }) =>
                set(at, {
                  choices: currentTarget.value
                    .split(',')
                    .map((one) => one.trim())
                    .filter(Boolean),
                })
              }
            />
          )}
          <label className={css.required}>
            <input
              type="checkbox"
              checked={field.required}
              onChange={({ currentTarget }) => set(at, { required: currentTarget.checked })}
            />
            {say('fields.required')}
          </label>
          <button
            type="button"
            className="button danger bare"
            aria-label={say('fields.remove', { name: field.label.es || field.label.en || String(at + 1) })}
            onClick={() => change(fields.filter((_, place) => place !== at))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {error && (
        <p className={css.error} role="alert">
          {error}
        </p>
      )}
      <button type="button" className="button" onClick={add}>
        <Icon name="plus" />
        {say('fields.add')}
      </button>
    </fieldset>
  );
}
