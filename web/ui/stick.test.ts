import { expect, test } from 'vitest';
import { stickToEnd } from './stick.ts';

/** A log of some height in a box of 100 pixels. */
function log() {
  const box = { scrollTop: 0, scrollHeight: 500, clientHeight: 100 };
  const told: boolean[] = [];
  return { box, told, stick: stickToEnd(box, (unseen) => told.push(unseen)) };
}

test('who is at the end stays there', () => {
  const { box, told, stick } = log();
  stick.end();
  box.scrollHeight = 560;
  stick.grown();
  expect(box.scrollTop).toBe(560);
  expect(told).not.toContain(true);
});

test('who reads above stays there, and hears of what comes', () => {
  const { box, told, stick } = log();
  box.scrollTop = 100;
  stick.scrolled();
  stick.grown();
  expect(told).not.toContain(true);
  box.scrollHeight = 560;
  stick.grown();
  expect(box.scrollTop).toBe(100);
  expect(told.at(-1)).toBe(true);
});

test('going down, by hand or by the button, ends it', () => {
  const { box, told, stick } = log();
  for (const down of [() => stick.end(), () => stick.scrolled()]) {
    box.scrollTop = 100;
    stick.scrolled();
    box.scrollHeight += 60;
    stick.grown();
    expect(told.at(-1)).toBe(true);
    box.scrollTop = box.scrollHeight - 100;
    down();
    expect(told.at(-1)).toBe(false);
    box.scrollHeight += 60;
    stick.grown();
    expect(box.scrollTop).toBe(box.scrollHeight);
  }
});

test('almost at the end is at the end', () => {
  const { box, stick } = log();
  box.scrollTop = 352;
  stick.scrolled();
  stick.grown();
  expect(box.scrollTop).toBe(500);
  box.scrollTop = 351;
  stick.scrolled();
  stick.grown();
  expect(box.scrollTop).toBe(351);
});
