import type { AgentDesk } from '@aldaba/client';
import { useEffect } from 'react';
import { getPrefs } from '../prefs.ts';

let audio: AudioContext | undefined;

/** Browsers let a page sound only after somebody has touched it. */
function wake(): void {
  if (!getPrefs().sound) return;
  audio ??= new AudioContext();
  void audio.resume();
}

/** Two short notes, quiet; silent before a gesture. */
function ring(): void {
  if (audio?.state !== 'running') return;
  for (const [at, hertz] of [880, 1175].entries()) {
    const start = audio.currentTime + at * 0.12;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.08, start + 0.01);
    loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
    tone.connect(loudness).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.32);
  }
}

/** Sounds when something comes that nobody looks at. */
export function useSound(desk: AgentDesk | undefined): void {
  useEffect(() => {
    if (!desk) return;
    const signs = ['pointerdown', 'keydown'] as const;
    for (const sign of signs) addEventListener(sign, wake);
    const end = desk.hear(() => {
      if (getPrefs().sound) ring();
    });
    return () => {
      end();
      for (const sign of signs) removeEventListener(sign, wake);
    };
  }, [desk]);
}
