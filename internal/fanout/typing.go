package fanout

import (
	"sync"
	"time"
)

const (
	// typingEvery is the shortest time between two hints that the same member types.
	typingEvery = 2 * time.Second
	// typists is how many are remembered before those are dropped who count no more.
	typists = 1024
)

// typing remembers who was relayed when, for typingEvery.
type typing struct {
	mu   sync.Mutex
	last map[typist]time.Time
}

type typist struct {
	conv [32]byte
	leaf uint16
}

// take reports whether a hint of this member is due.
func (t *typing) take(who typist, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[who]; ok && now.Sub(last) < typingEvery {
		return false
	}
	if t.last == nil || len(t.last) >= typists {
		fresh := map[typist]time.Time{}
		for other, last := range t.last {
			if now.Sub(last) < typingEvery {
				fresh[other] = last
			}
		}
		t.last = fresh
	}
	t.last[who] = now
	return true
}

// Typing tells those who follow a conversation that a member types, at most
// every two seconds; what comes sooner is dropped. Nothing of it is kept.
func (h *Hub) Typing(conv [32]byte, leaf uint16) {
	channel := typingChannel(conv)
	if h.node.Hub().NumSubscribers(channel) == 0 || !h.typing.take(typist{conv, leaf}, time.Now()) {
		return
	}
	data, err := typingData(leaf)
	h.broker.hint(channel, data, err)
}
