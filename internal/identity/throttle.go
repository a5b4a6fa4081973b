package identity

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// rate is how many tries may come at once, and how long one takes to come back.
type rate struct {
	burst int
	every time.Duration
}

var (
	// Whoever shares an address shares its tries.
	ofAddress = rate{30, 20 * time.Second}
	// A person who mistypes at a desk.
	ofPair = rate{5, time.Minute}
	// All addresses together that the account's owner has never signed in from:
	// at most ten guesses in the first hour, five in each later one.
	ofLogin = rate{5, 12 * time.Minute}
)

// mostKeys bounds the memory of a flood.
const mostKeys = 100_000

// throttle counts tries by the generic cell rate algorithm, in memory: a restart
// forgets them.
type throttle struct {
	now  func() time.Time
	mu   sync.Mutex
	full map[string]time.Time // by key, when all its tries will have come back
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, full: map[string]time.Time{}}
}

// take uses one try of a key, or says how long to wait for one.
func (t *throttle) take(key string, r rate) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.full) >= mostKeys {
		for k, until := range t.full {
			if until.Before(now) {
				delete(t.full, k)
			}
		}
		if len(t.full) >= mostKeys {
			return tooOften(r.every)
		}
	}
	full := t.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(r.every)
	if wait := full.Sub(now) - time.Duration(r.burst)*r.every; wait > 0 {
		return tooOften(wait)
	}
	t.full[key] = full
	return nil
}

// forget gives a key all its tries back.
func (t *throttle) forget(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		delete(t.full, key)
	}
}

// giveBack returns one try.
func (t *throttle) giveBack(key string, r rate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if full, ok := t.full[key]; ok {
		t.full[key] = full.Add(-r.every)
	}
}

func tooOften(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return &chat.Error{
		Kind: chat.KindRateLimited, Limit: seconds,
		Message: fmt.Sprintf("this was tried too often: wait %d seconds and try again", seconds),
	}
}

// place is the network that tries are counted for: one IPv4 address, or the
// 64 bits of IPv6 that one household has.
func place(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// mark is a place as an account remembers it.
func mark(account chat.StaffID, address string) [16]byte {
	sum := sha256.Sum256([]byte(account.String() + " " + place(address)))
	return [16]byte(sum[:16])
}
