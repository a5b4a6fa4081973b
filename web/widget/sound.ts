/** Two short notes, made here: no file is fetched. A page that nobody has touched stays silent. */
export function chime(): void {
  if (!navigator.userActivation?.hasBeenActive) return;
  const context = new AudioContext();
  const at = context.currentTime;
  for (const [index, pitch] of [660, 880].entries()) {
    const [note, volume, start] = [context.createOscillator(), context.createGain(), at + index * 0.13];
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.08, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.25);
    note.connect(volume).connect(context.destination);
    note.start(start);
    note.stop(start + 0.25);
    if (index > 0) note.onended = () => void context.close();
  }
}
