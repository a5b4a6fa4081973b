import { describe, expect, test } from 'vitest';
import { faultOf } from './fields.ts';

const ask = (kind: 'text' | 'mail' | 'phone' | 'choice', required = false) => ({
  kind,
  required,
  choices: kind === 'choice' ? ['Cards', 'Loans'] : [],
});

describe('an answer', () => {
  test.each([
    ['text', '', undefined],
    ['text', 'Zoë', undefined],
    ['text', 'x'.repeat(201), 'field.long'],
    ['mail', 'zoe@example.com', undefined],
    ['mail', ' zoe+1@mail.example.com ', undefined],
    ['mail', 'zoe.example.com', 'field.mail.at'],
    ['mail', 'zoe@example', 'field.mail'],
    ['mail', 'zoe@@example.com', 'field.mail'],
    ['mail', 'zoe@example..com', 'field.mail'],
    ['mail', 'z oe@example.com', 'field.mail'],
    ['phone', '+34 600 11 22 33', undefined],
    ['phone', '(600) 11-22.33', undefined],
    ['phone', '12345', 'field.phone'],
    ['phone', '1234567890123456', 'field.phone'],
    ['phone', '600 call me', 'field.phone.letters'],
    ['choice', 'Cards', undefined],
    ['choice', 'cards', 'field.choice'],
  ] as const)('%s %j: %s', (kind, answer, fault) => {
    expect(faultOf(ask(kind), answer)).toBe(fault);
  });

  test.each(['text', 'mail', 'phone', 'choice'] as const)('%s: none where one is required', (kind) => {
    expect(faultOf(ask(kind, true), '  ')).toBe('field.required');
    expect(faultOf(ask(kind), '  ')).toBeUndefined();
  });
});
