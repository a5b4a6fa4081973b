package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	challengeLasts = time.Minute
	proofLasts     = 5 * time.Minute
	ticketLasts    = 30 * time.Second
	keysOfOne      = 32 // proven in one browser; the one that ends first goes
	sweepEvery     = 30 * time.Second
	mostBrowsers   = 200_000 // at once
	mostTickets    = 200_000
)

// sessionCookie holds the secret of a browser's session. The prefix makes the
// browser refuse it from another host, from a path and without Secure (RFC
// 6265bis, 4.1.3).
const sessionCookie = "__Host-aldaba"

// sessions knows its own challenges again, and which of them were answered, and
// remembers which keys each browser has proven. All of it is in memory: after a
// restart everybody proves anew.
type sessions struct {
	now    func() time.Time
	secret [32]byte

	mu       sync.Mutex
	spent    map[[32]byte]time.Time // challenges that were answered, until they end
	browsers map[[32]byte]*browser  // by the secret's SHA-256: a dump of memory gives no secret
	tickets  map[[32]byte]ticket    // likewise
	swept    time.Time
}

// browser is one session: a set of keys, each until its proof ends.
type browser struct{ proven map[[32]byte]proof }

type proof struct {
	visitor bool
	until   time.Time
}

// ticket opens one connection.
type ticket struct {
	who   session
	until time.Time
}

// session is for whom a request speaks.
type session struct {
	owner   [32]byte // conv of a visitor, hash of a device's certificate
	visitor bool
}

func newSessions(now func() time.Time) *sessions {
	s := &sessions{
		now: now, spent: map[[32]byte]time.Time{},
		browsers: map[[32]byte]*browser{}, tickets: map[[32]byte]ticket{}, swept: now(),
	}
	rand.Read(s.secret[:])
	return s
}

// challenge gives out 32 bytes that one proof may answer: when it ends, eight
// random bytes, and 16 bytes by which it is known again. Nothing is remembered
// of those that nobody answers.
func (s *sessions) challenge() [32]byte {
	var c [32]byte
	binary.BigEndian.PutUint64(c[:], uint64(s.now().Add(challengeLasts).UnixMilli()))
	rand.Read(c[8:16])
	copy(c[16:], s.mark(c))
	return c
}

func (s *sessions) mark(c [32]byte) []byte {
	mac := hmac.New(sha256.New, s.secret[:])
	mac.Write(c[:16])
	return mac.Sum(nil)[:16]
}

// spend takes a challenge back, once.
func (s *sessions) spend(c [32]byte) bool {
	if !hmac.Equal(c[16:], s.mark(c)) {
		return false
	}
	until := time.UnixMilli(int64(binary.BigEndian.Uint64(c[:]))) //nolint:gosec // marked, so made here
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if _, again := s.spent[c]; again || !s.now().Before(until) {
		return false
	}
	s.spent[c] = until
	return true
}

// newSecret is 32 random bytes as text, and the hash by which they are kept.
func newSecret() (text string, hash [32]byte) {
	var secret [32]byte
	rand.Read(secret[:])
	text = wire.Text(secret[:])
	return text, sha256.Sum256([]byte(text))
}

// prove adds a key to the browser of a cookie, or to a new one, whose secret it
// gives; false when there are too many browsers at once.
func (s *sessions) prove(cookie string, who session) (secret string, until time.Time, ok bool) {
	until = s.now().Add(proofLasts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	secret = cookie
	b := s.browsers[sha256.Sum256([]byte(cookie))]
	if b == nil {
		// Never the value that a browser brought: somebody else may have put it there.
		if len(s.browsers) >= mostBrowsers {
			return "", until, false
		}
		var hash [32]byte
		secret, hash = newSecret()
		b = &browser{map[[32]byte]proof{}}
		s.browsers[hash] = b
	}
	if _, again := b.proven[who.owner]; !again && len(b.proven) >= keysOfOne {
		var first [32]byte
		for owner, p := range b.proven {
			if first == ([32]byte{}) || p.until.Before(b.proven[first].until) {
				first = owner
			}
		}
		delete(b.proven, first)
	}
	b.proven[who.owner] = proof{who.visitor, until}
	return secret, until, true
}

// find gives the visitor of a conversation when the browser has proven to be
// it, or else the browser's device.
func (s *sessions) find(cookie string, conv [32]byte) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.browsers[sha256.Sum256([]byte(cookie))]
	if b == nil {
		return session{}, false
	}
	last := s.now()
	if p, ok := b.proven[conv]; ok && p.visitor && last.Before(p.until) {
		return session{conv, true}, true
	}
	// After a renewal a device has two certificates for a while: the one that was
	// proven last counts.
	var device session
	found := false
	for owner, p := range b.proven {
		if !p.visitor && last.Before(p.until) {
			device, found, last = session{owner, false}, true, p.until
		}
	}
	return device, found
}

// forget ends the proofs and tickets of an owner.
func (s *sessions) forget(owner [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.browsers {
		delete(b.proven, owner)
	}
	for hash, t := range s.tickets {
		if t.who.owner == owner {
			delete(s.tickets, hash)
		}
	}
}

// issue gives a ticket for one connection.
func (s *sessions) issue(who session) (secret string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if len(s.tickets) >= mostTickets {
		return "", false
	}
	secret, hash := newSecret()
	s.tickets[hash] = ticket{who, s.now().Add(ticketLasts)}
	return secret, true
}

// redeem takes a ticket back, once.
func (s *sessions) redeem(secret string) (session, bool) {
	hash := sha256.Sum256([]byte(secret))
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tickets[hash]
	delete(s.tickets, hash)
	return t.who, ok && s.now().Before(t.until)
}

// sweep forgets what has ended, now and then.
func (s *sessions) sweep() {
	now := s.now()
	if now.Sub(s.swept) < sweepEvery {
		return
	}
	s.swept = now
	for c, until := range s.spent {
		if now.After(until) {
			delete(s.spent, c)
		}
	}
	for hash, t := range s.tickets {
		if now.After(t.until) {
			delete(s.tickets, hash)
		}
	}
	for hash, b := range s.browsers {
		for owner, p := range b.proven {
			if now.After(p.until) {
				delete(b.proven, owner)
			}
		}
		if len(b.proven) == 0 {
			delete(s.browsers, hash)
		}
	}
}

// cookieOf is the secret that a request brings; empty when there is none.
func cookieOf(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// newCookie is one that scripts cannot read, for this host alone. The chat's is
// partitioned, because its page stands in a frame of another site.
func newCookie(name, value string, at place) *http.Cookie {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if at == chatHost {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}
