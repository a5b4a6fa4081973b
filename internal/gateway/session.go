package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	challengeLasts = time.Minute
	tokenLasts     = 5 * time.Minute
	atMost         = 100_000 // challenges, and sessions, at once
)

// sessions remembers challenges that were given out and the tokens that proofs
// have earned. All of it is in memory: after a restart everybody proves anew.
type sessions struct {
	now func() time.Time

	mu         sync.Mutex
	challenges map[[32]byte]time.Time // until when
	tokens     map[[32]byte]session   // by the token's SHA-256: a dump of memory gives no token
}

// session is who a token speaks for.
type session struct {
	owner   [32]byte // conv of a visitor, hash of a device's certificate
	visitor bool
	until   time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, challenges: map[[32]byte]time.Time{}, tokens: map[[32]byte]session{}}
}

// challenge gives out 32 bytes that one proof may answer; false when there are
// too many already.
func (s *sessions) challenge() ([32]byte, bool) {
	var c [32]byte
	rand.Read(c[:])
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.challenges) >= atMost {
		for old, until := range s.challenges {
			if now.After(until) {
				delete(s.challenges, old)
			}
		}
		if len(s.challenges) >= atMost {
			return c, false
		}
	}
	s.challenges[c] = now.Add(challengeLasts)
	return c, true
}

// spend takes a challenge back, once.
func (s *sessions) spend(c [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.challenges[c]
	delete(s.challenges, c)
	return ok && s.now().Before(until)
}

// begin gives a token for an owner.
func (s *sessions) begin(owner [32]byte, visitor bool) (token string, until time.Time) {
	var secret [32]byte
	rand.Read(secret[:])
	token = wire.Text(secret[:])
	now := s.now()
	until = now.Add(tokenLasts)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= atMost {
		for old, t := range s.tokens {
			if now.After(t.until) {
				delete(s.tokens, old)
			}
		}
	}
	s.tokens[sha256.Sum256([]byte(token))] = session{owner, visitor, until}
	return token, until
}

// find gives the session of a token that still lasts.
func (s *sessions) find(token string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.tokens[sha256.Sum256([]byte(token))]
	return found, ok && s.now().Before(found.until)
}
