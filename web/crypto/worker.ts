// The crypto worker: new Worker(…/worker.ts) and connect() of it. One that is
// named `fleeting` keeps nothing: where the browser lets a frame store nothing,
// a conversation may still last as long as its page.
import { createVault } from './inside.ts';
import { browserKeep, memoryKeep } from './keep.ts';
import { serve } from './serve.ts';

serve(self, createVault(self.name === 'fleeting' ? memoryKeep() : browserKeep()));
