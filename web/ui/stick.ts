/** How far from its end a reader still counts as being there, in pixels. */
const near = 48;

/** The part of an element that scrolls which is asked. */
export interface Box {
  scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

export interface Stick {
  /** Whether the reader is at the end. */
  there(): boolean;
  /** The reader scrolled. */
  scrolled(): void;
  /** Rows were added, or the box changed its height. */
  grown(): void;
  /** Goes to the end, wherever the reader is. */
  end(): void;
}

/**
 * Keeps a log at its end while the reader is there, and leaves the place alone
 * otherwise. `tell` hears whether there is something below that was not seen.
 */
export function stickToEnd(box: Box, tell: (unseen: boolean) => void): Stick {
  let there = true;
  let height = box.scrollHeight;
  const end = () => {
    box.scrollTop = box.scrollHeight;
    height = box.scrollHeight;
    there = true;
    tell(false);
  };
  return {
    there: () => there,
    end,
    scrolled() {
      there = box.scrollHeight - box.scrollTop - box.clientHeight <= near;
      if (there) tell(false);
    },
    grown() {
      if (there) end();
      else if (box.scrollHeight > height) tell(true);
      height = box.scrollHeight;
    },
  };
}
