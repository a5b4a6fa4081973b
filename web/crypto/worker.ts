// The crypto worker: new Worker(…/worker.ts) and connect() of it.
import { createVault } from './inside.ts';
import { browserKeep } from './keep.ts';
import { serve } from './serve.ts';

serve(self, createVault(browserKeep()));
