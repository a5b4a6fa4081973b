package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	challengeLasts = time.Minute
	tokenLasts     = 5 * time.Minute
	tokensOfOne    = 16 // of one owner; the oldest goes
	sweepEvery     = 30 * time.Second
	mostTokens     = 200_000 // at once, of all owners
)

// sessions knows its own challenges again, and which of them were answered, and
// remembers the tokens that proofs have earned. All of it is in memory: after a
// restart everybody proves anew.
type sessions struct {
	now    func() time.Time
	secret [32]byte

	mu     sync.Mutex
	spent  map[[32]byte]time.Time // challenges that were answered, until they end
	tokens map[[32]byte]session   // by the token's SHA-256: a dump of memory gives no token
	of     map[[32]byte][][32]byte
	swept  time.Time
}

// session is who a token speaks for.
type session struct {
	owner   [32]byte // conv of a visitor, hash of a device's certificate
	visitor bool
	until   time.Time
}

func newSessions(now func() time.Time) *sessions {
	s := &sessions{
		now: now, spent: map[[32]byte]time.Time{},
		tokens: map[[32]byte]session{}, of: map[[32]byte][][32]byte{}, swept: now(),
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

// begin gives a token for an owner; false when there are too many at once.
func (s *sessions) begin(owner [32]byte, visitor bool) (token string, until time.Time, ok bool) {
	var secret [32]byte
	rand.Read(secret[:])
	token = wire.Text(secret[:])
	hash := sha256.Sum256([]byte(token))
	until = s.now().Add(tokenLasts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if len(s.tokens) >= mostTokens {
		return "", until, false
	}
	mine := append(s.of[owner], hash)
	if len(mine) > tokensOfOne {
		delete(s.tokens, mine[0])
		mine = mine[1:]
	}
	s.of[owner] = mine
	s.tokens[hash] = session{owner, visitor, until}
	return token, until, true
}

// find gives the session of a token that still lasts.
func (s *sessions) find(token string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.tokens[sha256.Sum256([]byte(token))]
	return found, ok && s.now().Before(found.until)
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
	for owner, hashes := range s.of {
		var left [][32]byte
		for _, hash := range hashes {
			if t, ok := s.tokens[hash]; ok && now.Before(t.until) {
				left = append(left, hash)
			} else {
				delete(s.tokens, hash)
			}
		}
		if left == nil {
			delete(s.of, owner)
		} else {
			s.of[owner] = left
		}
	}
}
