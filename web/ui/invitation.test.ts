import { expect, test } from 'vitest';
import { invitationIn, readInvitation } from './invitation.ts';

const right = { state: 'right', text: 'ABCDE-FGHJK-MNPQR-STVWX-YZ012-34567' };

test.each([
  ['ABCDE-FGHJK-MNPQR-STVWX-YZ012-34567', right],
  [' abcde fghjk\tmnpqr\nstvwx yz012 34567 ', right],
  ['ABCDE–FGHJK—MNPQR-STVWX-YZ012-34567', right],
  ['abcdefghjkmnpqrstvwxyzo1234567', { ...right, text: 'ABCDE-FGHJK-MNPQR-STVWX-YZ012-34567' }],
  ['abcdefghjkmnpqrstvwxyzOiL34567', { ...right, text: 'ABCDE-FGHJK-MNPQR-STVWX-YZ011-34567' }],
  ['', { state: 'length', count: 0 }],
  ['ABCDE-FGHJK-MNPQR-STVWX-YZ012-3456', { state: 'length', count: 29 }],
  ['ABCDE-FGHJK-MNPQR-STVWX-YZ012-345678', { state: 'length', count: 31 }],
  ['ABCDE-FGHJK-MNPQR-STUWX-YZ012-34567', { state: 'character', character: 'U' }],
  ['ABCDE-FGHJK-MNPQR-STVWX-YZ012-3456😀', { state: 'character', character: '😀' }],
])('%j', (typed, result) => {
  expect(readInvitation(typed)).toEqual(result);
});

test.each([
  ['#invite=ABCDE-FGHJK', 'ABCDE-FGHJK'],
  ['#a=b&invite=x%20y', 'x y'],
  ['#invite=', ''],
  ['#inbox', undefined],
  ['', undefined],
])('the address %j brings %j', (hash, invitation) => {
  expect(invitationIn(hash)).toBe(invitation);
});
