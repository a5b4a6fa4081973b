// What a person types: how long it is, which key sends it, and how high its field is.

/** The most that one message holds, in bytes of UTF-8 (SPEC section 4.3). */
export const longest = 8192;

/** From here on the field shows how much is left. */
const near = 7500;

const encoder = new TextEncoder();

export interface Measure {
  /** Bytes of UTF-8. */
  readonly used: number;
  readonly shown: boolean;
  /** Bytes above the limit, 0 when it fits. */
  readonly over: number;
  /** Whether it can be sent: something to read, and not too long. */
  readonly fits: boolean;
}

/** A text as it is sent: without the space around it, in normalisation form C. */
const asSent = (text: string) => text.trim().normalize('NFC');

/** Measures a text as it would be sent. */
export function measure(text: string): Measure {
  const used = encoder.encode(asSent(text)).length;
  const over = Math.max(0, used - longest);
  return { used, shown: used >= near, over, fits: over === 0 && text.trim() !== '' };
}

/** What a press of a key tells. */
interface Press {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly isComposing: boolean;
}

/** Whether a key sends: Enter without Shift, when it does not pick a suggestion of an input method. */
export function sends(press: Press): boolean {
  return press.key === 'Enter' && !press.shiftKey && !press.isComposing;
}

/** Makes a field as high as its text; its style sheet says where that ends. */
export function grow(field: HTMLTextAreaElement): void {
  field.style.blockSize = 'auto';
  field.style.blockSize = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}
