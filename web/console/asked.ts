import { useCallback, useEffect, useRef, useState } from 'react';
import { Refused } from './api.ts';

/** What was asked of the server. While it is asked again, or cannot be, the last answer stays. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly problem: Refused | undefined;
  readonly again: () => void;
}

/** What an act threw, as something to tell a person. */
export function refusalOf(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(0, 'unknown');
}

/** Asks at once, and again every `age` milliseconds while the page is looked at. `ask` must stay the same. */
export function useAsked<T>(ask: () => Promise<T>, age = 0): Asked<T> {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState<Refused>();
  const turn = useRef(0);

  const again = useCallback(() => {
    const mine = ++turn.current;
    ask().then(
      (answer) => {
        if (mine !== turn.current) return;
        setValue(() => answer);
        setProblem(undefined);
      },
      (error) => {
        if (mine === turn.current) setProblem(refusalOf(error));
      },
    );
  }, [ask]);

  useEffect(() => {
    again();
    const back = () => again();
    addEventListener('online', back);
    const timer = age > 0 ? setInterval(() => document.hidden || again(), age) : undefined;
    return () => {
      turn.current++;
      removeEventListener('online', back);
      clearInterval(timer);
    };
  }, [again, age]);

  return { value, problem, again };
}

/** An act that a person starts: whether it is under way, and how the last try ended. */
export function useAct(): {
  readonly busy: boolean;
  readonly refusal: Refused | undefined;
  readonly run: (act: () => Promise<void>) => void;
  readonly clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refused>();
  const going = useRef(false);
  const run = (act: () => Promise<void>) => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setRefusal(undefined);
    act()
      .catch((error) => setRefusal(refusalOf(error)))
      .finally(() => {
        going.current = false;
        setBusy(false);
      });
  };
  return { busy, refusal, run, clear: () => setRefusal(undefined) };
}
